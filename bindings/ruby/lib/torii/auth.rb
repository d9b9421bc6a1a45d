# frozen_string_literal: true

require 'json'

module Torii
  # The user a token was issued to, as the issuer signed it: a plain value, which outlives the
  # verifier. Tests can make one by themselves.
  class Auth
    # @return [String] the user: +sub+
    attr_reader :user_id
    # @return [String] the environment the user belongs to: +pid+
    attr_reader :environment_id
    # @return [String] the configured issuer, without trailing slashes
    attr_reader :issuer
    # @return [String, nil] the locale the user prefers
    attr_reader :locale
    # @return [String] the payload of the token, exactly as it was signed
    attr_reader :claims_json

    def initialize(user_id:, environment_id:, issuer:, locale: nil, email_verified: false,
                   profile_complete: true, impersonating: false, issued_at: 0, expires_at: 0,
                   claims_json: '{}')
      @user_id = user_id
      @environment_id = environment_id
      @issuer = issuer
      @locale = locale
      @email_verified = email_verified
      @profile_complete = profile_complete
      @impersonating = impersonating
      @issued_at = issued_at
      @expires_at = expires_at
      @claims_json = claims_json
    end

    # Whether the user has a verified email address: only when the token says +true+.
    def email_verified? = @email_verified

    # Whether all required profile fields are set: unless the token says +false+.
    def profile_complete? = @profile_complete

    # Whether somebody else is acting as the user.
    def impersonating? = @impersonating

    # @return [Time] +iat+
    def issued_at = Time.at(@issued_at)

    # @return [Time] +exp+
    def expires_at = Time.at(@expires_at)

    # @return [Hash{String => Object}] all claims
    def claims = @claims ||= JSON.parse(@claims_json).freeze

    # @return [Object, nil] a claim by its name
    def [](name) = claims[name]

    def inspect = "#<#{self.class} user_id=#{user_id.inspect} environment_id=#{environment_id.inspect}>"

    # @api private
    # @return [Auth] a copy of a handle of the library, which is freed: cheaper than a finalizer
    def self.take(auth)
      allocate.tap { |copy| copy.send(:copy, auth) }
    ensure
      Native.torii_auth_free(auth)
    end

    private

    def copy(auth)
      @user_id = Native.torii_auth_user_id(auth, nil).force_encoding(Encoding::UTF_8)
      @environment_id = Native.torii_auth_environment_id(auth, nil).force_encoding(Encoding::UTF_8)
      @issuer = Native.torii_auth_issuer(auth, nil).force_encoding(Encoding::UTF_8)
      @locale = Native.torii_auth_locale(auth, nil)&.force_encoding(Encoding::UTF_8)
      @email_verified = Native.torii_auth_email_verified(auth)
      @profile_complete = Native.torii_auth_profile_complete(auth)
      @impersonating = Native.torii_auth_impersonating(auth)
      @issued_at = Native.torii_auth_issued_at(auth)
      @expires_at = Native.torii_auth_expires_at(auth)
      @claims_json = Native.torii_auth_claims_json(auth, nil).force_encoding(Encoding::UTF_8)
    end
  end
end
