# frozen_string_literal: true

module Torii
  # Verifies the tokens of one or several issuers. Any number of threads may share a verifier. A verifier
  # created before fork works in the children, with the keys of the parent.
  #
  #   verifier = Torii::Verifier.new('https://acme.torii.so')
  #   verifier.verify(token).user_id
  class Verifier
    HEADER = 1
    NOWAIT = 2
    BUFFER_TOO_SMALL = 3
    KEYS_PENDING = 201
    REVOKE_ALL = (1 << 63) - 1
    private_constant :HEADER, :NOWAIT, :BUFFER_TOO_SMALL, :KEYS_PENDING, :REVOKE_ALL

    # Fetches nothing yet. Options that are nil keep the library's default.
    #
    # @param issuer [String] such as "https://acme.torii.so"
    # @param jwks [String, nil] the issuer's keys as a JWK Set, instead of fetching them
    # @param issuers [Array<String>, Hash{String => String, nil}] further issuers, or these with their keys
    # @param audiences [Array<String>] +aud+ must name one of them; empty: a token with +aud+ is refused
    # @param ignore_audience [Boolean] whether +aud+ is ignored
    # @param leeway [Integer, nil] seconds of clock difference to allow (30)
    # @param max_lifetime [Integer, nil] the longest lifetime of a token in seconds (0: unlimited)
    # @param require [Array<Symbol>] shorthand for {Requirements} of flags only
    # @param requirements [Requirements, nil] requirements of every token
    # @param legacy_organization [Boolean] whether +org_id+ and +org_role+ are read where a token has no +o+
    # @param realm [String, nil] the realm of {Error#www_authenticate} ("torii")
    # @param resource_metadata [String, nil] its parameter +resource_metadata+ (RFC 9728)
    # @param key_lifetime [Integer, nil] the lifetime of fetched keys in seconds, regardless of the issuer's
    # @param max_stale [Integer, nil] seconds that keys stay in use while the issuer is unreachable (86400)
    # @param fetch_timeout [Numeric, nil] seconds for a key fetch (5)
    # @param background_refresh [Boolean] whether threads may fetch keys before they expire
    # @param token_cache_bytes [Integer, nil] the size of the verified token cache (8 MiB; 0: off)
    # @param ca_file [String, nil] a PEM file of certificate authorities, instead of the platform's
    # @param proxy [String, nil] a proxy for key fetches, such as "http://proxy.example:3128"
    # @param fixed_base [Boolean] whether a table for each key, of about 150 KiB, verifies new tokens in less
    #   than half of the time
    # @param key_cache_dir [String, nil] a directory that keeps fetched keys for the next process. Anyone who can
    #   write there can log in as any user.
    # @param revocations_file [String, nil] a file of JSON as {#revocations=} takes it, read again when it changes
    # @param metrics_issuer_label [Boolean] whether {#metrics} names issuers, which may be your tenants
    # @param allow_http [Boolean] plain http to other hosts: anyone on the path can then forge every token
    # @param clock [#call, nil] returns Unix seconds, instead of the system clock
    # @raise [InvalidArgumentError]
    def initialize(issuer, jwks: nil, issuers: [], audiences: [], ignore_audience: nil, leeway: nil,
                   max_lifetime: nil, require: [], requirements: nil, legacy_organization: nil, realm: nil,
                   resource_metadata: nil, key_lifetime: nil, max_stale: nil, fetch_timeout: nil,
                   background_refresh: nil, token_cache_bytes: nil, fixed_base: nil, key_cache_dir: nil,
                   revocations_file: nil, metrics_issuer_label: nil, ca_file: nil, proxy: nil, allow_http: nil,
                   clock: nil)
      options = Options.new(:verifier)
      options.optional_text(:set_jwks_json, jwks)
      issuers.each do |further, keys|
        keys.nil? ? options.text(:add_issuer, further) : options.text(:add_issuer_jwks, further, keys)
      end
      audiences.each { |audience| options.text(:add_audience, audience) }
      options.optional(:set_ignore_audience, ignore_audience)
      options.optional(:set_leeway_seconds, leeway)
      options.optional(:set_max_lifetime_seconds, max_lifetime)
      options.optional(:set_requirements, requirements&.pointer)
      require.each { |flag| options.optional(:require, Requirements.flag(flag)) }
      options.optional(:set_legacy_organization, legacy_organization)
      options.optional_text(:set_realm, realm)
      options.optional_text(:set_resource_metadata, resource_metadata)
      options.optional(:set_key_lifetime_seconds, key_lifetime)
      options.optional(:set_max_stale_seconds, max_stale)
      options.milliseconds(:set_fetch_timeout_ms, fetch_timeout)
      options.optional(:set_background_refresh, background_refresh)
      options.size(:set_token_cache_bytes, token_cache_bytes)
      options.optional(:set_fixed_base, fixed_base)
      options.optional_text(:set_key_cache_dir, key_cache_dir)
      options.optional_text(:set_revocations_file, revocations_file)
      options.optional(:set_metrics_issuer_label, metrics_issuer_label)
      options.optional_text(:set_ca_file, ca_file)
      options.optional_text(:set_proxy, proxy)
      options.optional(:set_allow_http, allow_http)
      options.optional(:set_clock, @clock = callback(clock), nil)
      @handle = options.make(self.class, issuer, 'issuer')
    end

    # Verifies a token. Blocks only while keys are fetched.
    #
    # @param token [String, nil]
    # @param requirements [Requirements, nil] of this call, in addition to the verifier's
    # @return [Auth]
    # @raise [TokenError, PolicyError, KeysUnavailableError]
    def verify(token, requirements: nil)
      Native.text(token, 'token') unless token.is_a?(String)
      check(token, 0, requirements&.pointer)
    end

    # Verifies the token in the value of an Authorization header, "Bearer <token>". Join the values of a
    # repeated header with ", ".
    #
    # @param header [String, nil]
    # @param requirements [Requirements, nil] of this call, in addition to the verifier's
    # @return [Auth]
    # @raise [TokenError, PolicyError, KeysUnavailableError]
    def authenticate(header, requirements: nil)
      Native.text(header, 'header') unless header.is_a?(String)
      check(header, HEADER, requirements&.pointer)
    end

    # Fetches the keys of every issuer now, for example at startup.
    # @return [nil]
    # @raise [KeysUnavailableError]
    def refresh
      @handle.use do |verifier, call|
        Native.check(Native.torii_verifier_refresh(verifier, call.error), call.error)
      end
      nil
    end

    # Statistics; torii_verifier_stats_json() in torii.h lists the members.
    # @return [Hash{String => Object}]
    def stats
      JSON.parse(@handle.use do |verifier, call|
        Native.check(Native.torii_verifier_stats_json(verifier, call.out, call.error), call.error)
        Native.take_json(call.out.read_pointer)
      end)
    end

    # Refuses the tokens of a user that were issued at or before a time, in this process. Matches +sub+ and the
    # actor. Of two calls the later time counts.
    #
    # @param user_id [String]
    # @param before [Time, Numeric] Unix seconds, at most one day ahead
    # @return [nil]
    # @raise [InvalidArgumentError] also with more than 100000 entries
    def revoke(user_id, before:)
      raise TypeError, "before: #{before.class} (expected a Time)" unless before.is_a?(Time) || before.is_a?(Numeric)

      # Rounded up: a time within a second includes the tokens of this second.
      seconds = before.to_r.ceil
      unless seconds.abs < REVOKE_ALL
        raise InvalidArgumentError.new('before: out of range', status: :invalid_argument)
      end

      revoke_until(user_id, seconds)
    end

    # Refuses every token of a user in this process, those of the future included.
    # @param user_id [String]
    # @return [nil]
    # @raise [InvalidArgumentError]
    def revoke_all(user_id) = revoke_until(user_id, REVOKE_ALL)

    # Replaces the list of an earlier assignment: <tt>{ revoked: [{ sub: '…', before: 1732550000 }] }</tt>.
    # +before+ may be "all". An empty list lifts these bans; those of {#revoke} and +revocations_file+ stay.
    #
    # @param list [Hash, String] a String is JSON
    # @raise [InvalidArgumentError] the earlier list then stays
    def revocations=(list)
      list = JSON.generate(list) unless list.is_a?(String)
      @handle.use do |verifier, call|
        Native.check(Native.torii_verifier_set_revocations_json(verifier, list, list.bytesize, call.error), call.error)
      end
    end

    # The content type of {#metrics}.
    METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

    # @return [String] metrics as OpenMetrics text
    def metrics
      room = 8192
      loop do
        text = FFI::MemoryPointer.new(:char, room)
        size = FFI::MemoryPointer.new(:size_t)
        @handle.use do |verifier, call|
          status = Native.torii_verifier_metrics(verifier, text, room, size, call.error)
          room = size.read(:size_t)
          # The text can grow between two calls.
          next Error.drop(call.error) if status == BUFFER_TOO_SMALL

          Native.check(status, call.error)
          return text.read_bytes(room).force_encoding(Encoding::UTF_8)
        end
      end
    end

    # Closes the verifier, at once or at the end of the last call in flight.
    # @return [nil]
    def close = @handle.close

    # Whether {#close} was called.
    def closed? = @handle.closed?

    # @return [String] without the issuer's keys
    def inspect = "#<#{self.class}#{' closed' if closed?}>"

    private

    def revoke_until(user_id, before)
      Native.text(user_id, 'user_id')
      @handle.use do |verifier, call|
        status = Native.torii_verifier_revoke(verifier, user_id, user_id.to_s.bytesize, before, call.error)
        Native.check(status, call.error)
      end
      nil
    end

    # The first call never waits, so it keeps Ruby's lock: releasing the lock takes longer than verifying a
    # known token.
    def check(text, how, requirements)
      call = @handle.enter
      begin
        status = Native.torii_verify_into(@handle.pointer, text, text ? text.bytesize : 0, how | NOWAIT, requirements,
                                          call.record, call.capacity, nil, call.error)
        again(status, text, how, requirements, call) unless status.zero?
        Auth.read(call.record)
      ensure
        Error.drop(call.error) if status.nil? # the clock raised
        @handle.leave(call)
      end
    end

    # Waits for keys, and retries with a larger buffer, which the handle keeps.
    def again(status, text, how, requirements, call)
      text = text.dup # another thread may change it during the call
      while status == KEYS_PENDING || (status == BUFFER_TOO_SMALL && call.capacity < Call::MAX_CAPACITY)
        Error.drop(call.error)
        call.grow if status == BUFFER_TOO_SMALL
        Native.uninterrupted do
          status = nil
          status = Native.torii_verify_into_blocking(@handle.pointer, text, text ? text.bytesize : 0, how, requirements,
                                                     call.record, call.capacity, nil, call.error)
        ensure
          Error.drop(call.error) if status.nil?
        end
      end
      Native.check(status, call.error)
    end

    def callback(clock)
      clock && FFI::Function.new(:int64, [:pointer]) { clock.call.to_i }
    end
  end
end
