# frozen_string_literal: true

require_relative 'lib/torii/version'

Gem::Specification.new do |spec|
  spec.name = 'torii'
  spec.version = Torii::VERSION
  spec.summary = 'Verifies torii access tokens locally and calls the backend API'
  spec.description = 'Ruby binding of libtorii: verifies torii access tokens (ES256 JWTs) locally, ' \
                     'calls the backend API, and contains a Rack middleware.'
  spec.authors = ['The libtorii authors']
  spec.homepage = 'https://torii.so'
  spec.license = 'MIT'
  spec.required_ruby_version = '>= 3.0'
  bundled = Dir['lib/torii/libtorii.*']
  if (platform = ENV.fetch('TORII_GEM_PLATFORM', nil))
    # In parts: RubyGems before 3.3.22 drops the C library from a text, and would install a gem for musl on glibc.
    spec.platform = Gem::Platform.new(platform.split('-', 3))
    spec.required_rubygems_version = '>= 3.3.22'
  elsif !bundled.empty?
    spec.platform = Gem::Platform::CURRENT
  end
  spec.files = Dir['lib/**/*.rb', 'example/*', 'README.md', 'LICENSE*'] + bundled
  spec.metadata['rubygems_mfa_required'] = 'true'
  spec.add_dependency 'ffi', '~> 1.15'
end
