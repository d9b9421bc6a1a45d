# frozen_string_literal: true

require_relative 'lib/torii/version'

Gem::Specification.new do |spec|
  spec.name = 'torii'
  spec.version = Torii::VERSION
  spec.summary = 'Verify torii logins without a request per token, and manage users'
  spec.description = 'Ruby binding of libtorii: judges the ES256 tokens torii signs for end users, ' \
                     'calls the backend API, and brings a Rack middleware.'
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
