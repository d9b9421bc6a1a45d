# frozen_string_literal: true

# Verifies torii's logins: {Torii::Verifier} verifies tokens, {Torii::Client} manages users,
# {Torii::Middleware} (+require 'torii/middleware'+) guards a Rack application, {Torii::WebhookVerifier}
# verifies webhooks.
module Torii
  # Leaves a field alone, where a value would set it and nil would clear it.
  UNSET = Object.new
  # @api private
  def UNSET.inspect = 'Torii::UNSET'
  UNSET.freeze
end

require_relative 'torii/version'
require_relative 'torii/native'
require_relative 'torii/errors'
require_relative 'torii/handle'
require_relative 'torii/options'
require_relative 'torii/auth'
require_relative 'torii/requirements'
require_relative 'torii/verifier'
require_relative 'torii/body'
require_relative 'torii/records'
require_relative 'torii/page'
require_relative 'torii/resources'
require_relative 'torii/client'
require_relative 'torii/webhook'

# Functions of the library as a whole.
module Torii
  # @return [String] the version of the loaded library
  def self.library_version = Native.torii_version

  # @return [String] the path of the loaded library, or the name that the dynamic linker was given
  def self.library_path = Native.library_path

  # Drops the keys of every issuer, for tests: all verifiers of the process fetch again.
  def self.clear_keys = Native.torii_jwks_cache_clear
end
