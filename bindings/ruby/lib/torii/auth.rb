# frozen_string_literal: true

require 'json'

module Torii
  # The identity in a verified token: a plain value that outlives the verifier. Fields are decoded when
  # they are read. Tests can create one themselves.
  class Auth
    # The layout of torii_record_t: size, header_size, flags, reserved; times; spans of texts.
    HEADER = 'L4q2L16'
    HEADER_SIZE = 96
    # TORII_REQUIRE_ flags.
    FLAGS = { email_verified: 1, profile_complete: 2, not_impersonated: 4, organization: 8 }.freeze
    private_constant :HEADER, :HEADER_SIZE

    # Creates an identity without a token, for tests. The arguments are the fields.
    # @param issued_at [Integer, Time] Unix seconds, as is +expires_at+
    def initialize(user_id:, environment_id:, issuer:, locale: nil, organization_id: nil, organization_role: nil,
                   actor_id: nil, email_verified: false, profile_complete: true, impersonating: !actor_id.nil?,
                   issued_at: 0, expires_at: 0, claims_json: '{}')
      flags = { email_verified: email_verified, profile_complete: profile_complete,
                not_impersonated: !impersonating, organization: !organization_id.nil? }
      texts = [user_id, environment_id, issuer, locale, organization_id, organization_role, actor_id, claims_json]
      adopt(encode(flags.sum { |name, met| met ? FLAGS[name] : 0 }, issued_at.to_i, expires_at.to_i, texts))
    end

    # @return [String] the user id: claim +sub+
    def user_id = text('@32L2')

    # @return [String] the id of the user's environment: claim +pid+
    def environment_id = text('@40L2')

    # @return [String] the configured issuer that signed the token, without trailing slashes
    def issuer = text('@48L2')

    # @return [String, nil] the user's preferred locale
    def locale = text('@56L2')

    # @return [String, nil] the id of the active organization: claim +o+
    def organization_id = text('@64L2')

    # @return [String, nil] the user's role in the active organization. Anyone can create an
    #   organization and own it, so check the role together with the organization's id.
    def organization_role = text('@72L2')

    # @return [String, nil] the id of the party that acts as the user: claim +act+ (RFC 8693). nil does
    #   not mean that there is no such party: see {#impersonating?}.
    def actor_id = text('@80L2')

    # @return [String] all claims exactly as signed: the payload of the token
    def claims_json = text('@88L2')

    # Whether the user has a verified email address: +email_verified+ is true. torii stamps this claim
    # only through the environment's default JWT template.
    def email_verified? = meets?(:email_verified)

    # Whether all required profile fields are set: +profile_complete+ is not false.
    def profile_complete? = meets?(:profile_complete)

    # Whether another party acts as the user: +impersonating+ is true, or +act+ is present.
    def impersonating? = !meets?(:not_impersonated)

    # @return [Integer] the sum of the TORII_REQUIRE_ flags that this login meets
    def flags = @record.unpack1('@8L')

    # Whether this login meets all of these requirements. For claims and organizations, pass
    # {Requirements} to {Verifier#verify}.
    # @param names [Array<Symbol>] :email_verified, :profile_complete, :not_impersonated, :organization
    def meets?(*names) = names.all? { |name| flags.anybits?(FLAGS.fetch(name)) }

    # @return [Time] claim +iat+
    def issued_at = Time.at(@record.unpack1('@16q'))

    # @return [Time] claim +exp+
    def expires_at = Time.at(@record.unpack1('@24q'))

    # @return [Hash{String => Object}] all claims
    def claims = @claims ||= JSON.parse(claims_json).freeze

    # @return [Object, nil] a claim by its name
    def [](name) = claims[name]

    # @return [String] the user and the environment only: other claims may contain personal data
    def inspect = "#<#{self.class} user_id=#{user_id.inspect} environment_id=#{environment_id.inspect}>"

    # @api private
    # @param memory [FFI::Pointer] a record that the library wrote
    # @return [Auth] a copy
    def self.read(memory)
      raise broken if memory.get_uint32(4) < HEADER_SIZE

      allocate.adopt(memory.read_bytes(memory.get_uint32(0)))
    end

    # @api private
    def adopt(record)
      @record = record.force_encoding(Encoding::UTF_8) # as its slices are
      self
    end

    # @api private
    def self.broken = InternalError.new('record: not one that this gem can read')

    private

    # Offset 0 means absent. Every text is followed by NUL.
    def text(span)
      offset, length = @record.unpack(span)
      return if offset.zero?
      raise Auth.broken if offset < HEADER_SIZE || offset + length >= @record.bytesize

      @record.byteslice(offset, length)
    end

    def encode(flags, issued_at, expires_at, texts)
      offset = HEADER_SIZE
      spans = texts.flat_map do |text|
        next [0, 0] if text.nil?

        [offset, text.bytesize].tap { offset += text.bytesize + 1 }
      end
      header = [offset, HEADER_SIZE, flags, 0, issued_at, expires_at, *spans].pack(HEADER)
      texts.compact.inject(header) { |record, text| record << text.b << "\0" }
    end
  end
end
