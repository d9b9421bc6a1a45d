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
  spec.platform = Gem::Platform::CURRENT unless bundled.empty?
  spec.files = Dir['lib/**/*.rb', 'example/*', 'README.md', 'LICENSE*'] + bundled
  spec.metadata['rubygems_mfa_required'] = 'true'
  spec.add_dependency 'ffi', '~> 1.15'
end
