# frozen_string_literal: true

# Trust torii's logins from Ruby: {Torii::Verifier} judges tokens, {Torii::Client} manages users,
# {Torii::Middleware} (+require 'torii/middleware'+) guards a Rack application, {Torii::Webhook} judges
# webhooks.
module Torii
  # Stands for "leave this field alone" where a value or nil could be given.
  UNSET = Object.new
  def UNSET.inspect = 'Torii::UNSET'
  UNSET.freeze
end

require_relative 'torii/version'
require_relative 'torii/native'
require_relative 'torii/errors'
require_relative 'torii/handle'
require_relative 'torii/options'
require_relative 'torii/auth'
require_relative 'torii/verifier'
require_relative 'torii/body'
require_relative 'torii/records'
require_relative 'torii/page'
require_relative 'torii/resources'
require_relative 'torii/client'
require_relative 'torii/webhook'

# Functions of the library as a whole.
module Torii
  # @return [String] the release of the library that is loaded
  def self.library_version = Native.torii_version

  # Forgets the keys of every issuer: all verifiers of the process fetch them anew. For tests.
  def self.clear_keys = Native.torii_jwks_cache_clear
end
