# frozen_string_literal: true

require 'json'

module Torii
  # Conditions that a valid token must also meet, for a verifier, a route or one call. All must
  # hold; of several organizations, any one. Immutable, and any number of threads may share one.
  #
  #   Torii::Requirements.new(:email_verified, claims: { '/plan' => 'pro' }, organizations: { 'org_1' => 'admin' })
  class Requirements
    # @param flags [Array<Symbol>] :email_verified, :profile_complete, :not_impersonated, :organization
    # @param claims [Hash{String => String, Numeric, Boolean}] values by JSON pointer (RFC 6901): the
    #   claim equals the value, or is an array that contains it
    # @param claims_json [Hash{String => String}] the same with values as JSON text, for numbers that
    #   Ruby would round
    # @param organizations [Hash{String => String, nil}, Array<String>] organizations, each with the role
    #   to require; nil: any role
    # @raise [InvalidArgumentError]
    def initialize(*flags, claims: {}, claims_json: {}, organizations: [])
      @pointer = FFI::AutoPointer.new(Native.torii_requirements_new, Native.method(:torii_requirements_free))
      @error = FFI::MemoryPointer.new(:pointer)
      flags.each { |flag| add(:flags, self.class.flag(flag)) }
      claims.each { |pointer, value| add(:claim, *text(pointer, 'pointer'), *text(json(value), 'json')) }
      claims_json.each { |pointer, json| add(:claim, *text(pointer, 'pointer'), *text(json, 'json')) }
      organizations.each { |id, role| add(:organization, *text(id, 'id'), *text(role, 'role')) }
      freeze
    end

    # @api private
    # @return [FFI::AutoPointer] valid as long as this object
    attr_reader :pointer

    # @api private
    # @return [Integer] the TORII_REQUIRE_ flag of this name
    def self.flag(name)
      Auth::FLAGS.fetch(name) do
        raise ArgumentError, "requirement: #{name.inspect} (expected one of #{Auth::FLAGS.keys.inspect[1..-2]})"
      end
    end

    private

    def add(kind, *values)
      Native.check(Native.public_send(:"torii_requirements_add_#{kind}", @pointer, *values, @error), @error)
    end

    def text(value, name) = [Native.text(value, name), value.to_s.bytesize]

    def json(value)
      JSON.generate(value)
    rescue JSON::GeneratorError, EncodingError => e
      raise InvalidArgumentError.new("claims: not JSON: #{e.message.scrub}", status: :invalid_argument)
    end
  end
end
