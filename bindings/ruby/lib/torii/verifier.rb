# frozen_string_literal: true

module Torii
  # Judges the tokens of one or several issuers. Any number of threads may share one, and one made
  # before fork works in the children, with the keys the parent had.
  #
  #   verifier = Torii::Verifier.new('https://acme.torii.so')
  #   verifier.verify(token).user_id
  class Verifier
    REQUIREMENTS = { email_verified: 1, profile_complete: 2, not_impersonated: 4 }.freeze
    KEYS_PENDING = 201
    private_constant :REQUIREMENTS, :KEYS_PENDING

    # Nothing is fetched yet. Options that are nil keep the default of the library.
    #
    # @param issuer [String] as in "https://acme.torii.so"
    # @param jwks [String, nil] the issuer's keys as a JWK Set, instead of having them fetched
    # @param issuers [Array<String>, Hash{String => String}] further issuers, or these with their keys
    # @param audiences [Array<String>] what +aud+ has to name one of; empty: +aud+ is ignored
    # @param leeway [Integer, nil] seconds by which clocks may differ (30)
    # @param require [Array<Symbol>] :email_verified, :profile_complete, :not_impersonated
    # @param key_lifetime [Integer, nil] seconds keys last, whatever the issuer says
    # @param max_stale [Integer, nil] seconds keys stay in use when they cannot be fetched (86400)
    # @param fetch_timeout [Numeric, nil] seconds fetching keys may take (5)
    # @param background_refresh [Boolean] whether a thread may fetch keys before they are needed
    # @param verdict_cache_bytes [Integer, nil] memory for verdicts on good tokens (8 MiB)
    # @param ca_file [String, nil] a PEM file of the authorities to trust instead of the platform's
    # @param allow_http [Boolean] plain http to other hosts: anyone on the way can then forge logins
    # @param clock [#call, nil] gives Unix seconds instead of the system's clock
    # @raise [InvalidArgumentError]
    def initialize(issuer, jwks: nil, issuers: [], audiences: [], leeway: nil, require: [], key_lifetime: nil,
                   max_stale: nil, fetch_timeout: nil, background_refresh: true, verdict_cache_bytes: nil,
                   ca_file: nil, allow_http: false, clock: nil)
      options = Options.new(:verifier)
      options.optional_text(:set_jwks_json, jwks)
      issuers.each do |further, keys|
        options.text(:add_issuer, further)
        options.optional_text(:set_jwks_json, keys)
      end
      audiences.each { |audience| options.text(:add_audience, audience) }
      options.number(:set_leeway, leeway)
      options.number(:require, flags(require))
      options.number(:set_key_lifetime, key_lifetime)
      options.number(:set_max_stale, max_stale)
      options.milliseconds(:set_fetch_timeout_ms, fetch_timeout)
      options.value(:set_background_refresh, background_refresh)
      options.size(:set_verdict_cache_bytes, verdict_cache_bytes)
      options.optional_text(:set_ca_file, ca_file)
      options.value(:set_allow_http, allow_http)
      options.value(:set_clock, @clock = callback(clock), nil)
      @handle = options.make(self.class, issuer, 'issuer')
    end

    # Judges a token. Blocks only when keys have to be fetched.
    #
    # @param token [String, nil]
    # @return [Auth]
    # @raise [TokenError, PolicyError, KeysUnavailableError]
    def verify(token)
      judge(token, 'token', :torii_verify_token_nowait, :torii_verify_token)
    end

    # Judges the token in the value of an Authorization header, "Bearer <token>".
    #
    # @param header [String, nil]
    # @return [Auth]
    # @raise [TokenError, PolicyError, KeysUnavailableError]
    def authenticate(header)
      judge(header, 'header', :torii_verifier_authenticate_nowait, :torii_verifier_authenticate)
    end

    # Fetches the keys of every issuer now, to warm up.
    # @raise [KeysUnavailableError]
    def refresh
      @handle.use do |verifier, _, error|
        Native.check(Native.torii_verifier_refresh(verifier, error), error)
      end
      nil
    end

    # What the verifier has done so far. TORII_ERR_KEYS_PENDING counts calls that had to wait for keys.
    # @return [Hash{String => Object}]
    def stats
      JSON.parse(@handle.use do |verifier, out, error|
        Native.check(Native.torii_verifier_stats_json(verifier, out, error), error)
        Native.take_json(out.read_pointer)
      end)
    end

    # Ends the use of the verifier, now or with the last call under way.
    def close = @handle.close

    def closed? = @handle.closed?

    def inspect = "#<#{self.class}#{' closed' if closed?}>"

    private

    # A call that never waits goes first, since giving way to other threads costs more than a verdict
    # that is known.
    def judge(text, name, nowait, blocking)
      Native.text(text, name)
      size = text ? text.bytesize : 0
      @handle.use do |verifier, out, error|
        status = Native.public_send(nowait, verifier, text, size, out, error)
        next finish(status, out, error) unless status == KEYS_PENDING

        Native.torii_error_free(error.read_pointer)
        # Other threads run meanwhile, so the text is a copy of our own.
        copy = text.dup
        Native.uninterrupted { finish(Native.public_send(blocking, verifier, copy, size, out, error), out, error) }
      end
    end

    def finish(status, out, error)
      Native.check(status, error)
      Auth.take(out.read_pointer)
    end

    def flags(names)
      names.sum { |name| REQUIREMENTS.fetch(name) { raise ArgumentError, "unknown requirement: #{name.inspect}" } }
    end

    def callback(clock)
      clock && FFI::Function.new(:int64, [:pointer]) { clock.call.to_i }
    end
  end
end
