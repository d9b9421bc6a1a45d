# frozen_string_literal: true

require 'ffi'

module Torii
  # The C functions of torii.h, under their own names. Everything else in this gem is built on these;
  # programs have no need of them.
  module Native
    extend FFI::Library

    # The ABI these declarations are of.
    ABI_VERSION = 0

    # What the library is called.
    LIBRARY = FFI::Platform.mac? ? 'libtorii.0.dylib' : 'libtorii.so.0'

    # Where a gem for one platform has it.
    BUNDLED = File.join(__dir__, LIBRARY)

    # Loads the library, and goes no further with one of another ABI.
    # @raise [LoadError]
    def self.load_library
      path = find_library
      attach_function :torii_abi_version, [], :uint32
      return if torii_abi_version == ABI_VERSION

      raise LoadError, "#{path} has the ABI version #{torii_abi_version}, but the gem torii #{VERSION} " \
                       "is made for #{ABI_VERSION}: install the library that belongs to it"
    rescue FFI::NotFoundError => e
      raise LoadError, missing({ path => e })
    end

    # Takes the one TORII_LIBRARY names, or else that of the gem, or else what the dynamic linker finds.
    def self.find_library
      failures = {}
      candidates.each do |path|
        ffi_lib path
        return path
      rescue LoadError => e
        failures[path] = e
      end
      raise LoadError, missing(failures)
    end

    def self.candidates
      named = ENV.fetch('TORII_LIBRARY', '')
      return [named] unless named.empty?

      File.exist?(BUNDLED) ? [BUNDLED, LIBRARY] : [LIBRARY]
    end

    def self.missing(failures)
      places = { BUNDLED => 'in the gem', LIBRARY => 'with the dynamic linker' }
      tried = failures.map do |path, error|
        "#{places.fetch(path, 'where TORII_LIBRARY says')}, for #{path} (#{error.message.lines.first&.chomp})"
      end
      "libtorii was not found: looked #{tried.join('; ')}. Install the package libtorii0, or the gem for this " \
        'platform if there is one, or set TORII_LIBRARY to the full path of libtorii.so.0'
    end
    private_class_method :find_library, :candidates, :missing

    load_library

    # Text goes in as a pointer to the bytes of a String and their number.
    TEXT = %i[buffer_in size_t].freeze
    JUDGE = [:pointer, *TEXT, :pointer, :pointer].freeze
    private_constant :JUDGE

    attach_function :torii_version, [], :string
    attach_function :torii_status_name, [:uint32], :string
    attach_function :torii_status_http, [:uint32], :uint32

    attach_function :torii_error_message, %i[pointer pointer], :string
    attach_function :torii_error_http_status, [:pointer], :uint32
    attach_function :torii_error_code, %i[pointer pointer], :string
    attach_function :torii_error_support_id, %i[pointer pointer], :string
    attach_function :torii_error_body, %i[pointer pointer], :string
    attach_function :torii_error_retry_after, [:pointer], :int64
    attach_function :torii_error_free, [:pointer], :void

    callback :clock, [:pointer], :int64
    attach_function :torii_verifier_options_new, [], :pointer
    %i[add_issuer add_audience set_jwks_json set_ca_file].each do |name|
      attach_function :"torii_verifier_options_#{name}", [:pointer, *TEXT, :pointer], :uint32
    end
    %i[set_leeway set_key_lifetime set_max_stale set_fetch_timeout_ms require].each do |name|
      attach_function :"torii_verifier_options_#{name}", %i[pointer uint32 pointer], :uint32
    end
    attach_function :torii_verifier_options_set_background_refresh, %i[pointer bool], :uint32
    attach_function :torii_verifier_options_set_verdict_cache_bytes, %i[pointer size_t], :uint32
    attach_function :torii_verifier_options_set_allow_http, %i[pointer bool], :uint32
    attach_function :torii_verifier_options_set_clock, %i[pointer clock pointer], :uint32
    attach_function :torii_verifier_options_free, [:pointer], :void

    attach_function :torii_verifier_new, [*TEXT, :pointer, :pointer, :pointer], :uint32
    # Those that can wait for the network let other threads run meanwhile.
    attach_function :torii_verify_token, JUDGE, :uint32, blocking: true
    attach_function :torii_verify_token_nowait, JUDGE, :uint32
    attach_function :torii_verifier_authenticate, JUDGE, :uint32, blocking: true
    attach_function :torii_verifier_authenticate_nowait, JUDGE, :uint32
    attach_function :torii_verifier_refresh, %i[pointer pointer], :uint32, blocking: true
    attach_function :torii_verifier_stats_json, %i[pointer pointer pointer], :uint32
    attach_function :torii_verifier_free, [:pointer], :void
    attach_function :torii_jwks_cache_clear, [], :void

    # Texts that an auth lends hold no U+0000, so :string has them whole.
    %i[user_id environment_id issuer locale claims_json].each do |name|
      attach_function :"torii_auth_#{name}", %i[pointer pointer], :string
    end
    %i[email_verified profile_complete impersonating].each do |name|
      attach_function :"torii_auth_#{name}", [:pointer], :bool
    end
    attach_function :torii_auth_issued_at, [:pointer], :int64
    attach_function :torii_auth_expires_at, [:pointer], :int64
    attach_function :torii_auth_free, [:pointer], :void

    attach_function :torii_json_text, %i[pointer pointer], :pointer
    attach_function :torii_json_free, [:pointer], :void

    attach_function :torii_client_options_new, [], :pointer
    %i[set_api_url set_ca_file set_proxy set_user_agent_suffix].each do |name|
      attach_function :"torii_client_options_#{name}", [:pointer, *TEXT, :pointer], :uint32
    end
    %i[set_timeout_ms set_connect_timeout_ms set_max_retries].each do |name|
      attach_function :"torii_client_options_#{name}", %i[pointer uint32 pointer], :uint32
    end
    attach_function :torii_client_options_set_allow_http, %i[pointer bool], :uint32
    attach_function :torii_client_options_free, [:pointer], :void
    attach_function :torii_client_new, [*TEXT, :pointer, :pointer, :pointer], :uint32
    attach_function :torii_client_free, [:pointer], :void

    # The calls of the API, by the names of their arguments: a limit is a number, all else is text.
    # Those called _json answer JSON.
    OPERATIONS = {
      users_list_json: %i[limit cursor filter],
      users_get_json: %i[user_id],
      users_create_json: %i[body],
      users_update_json: %i[user_id body],
      users_update_metadata_json: %i[user_id body],
      users_delete: %i[user_id],
      users_ban_json: %i[user_id],
      users_unban_json: %i[user_id],
      users_list_organizations_json: %i[user_id limit cursor],
      sessions_list_for_user_json: %i[user_id],
      sessions_revoke_all_for_user: %i[user_id],
      sessions_revoke: %i[user_id session_id],
      organizations_list_json: %i[limit cursor name],
      organizations_get_json: %i[organization_id],
      organizations_list_members_json: %i[organization_id limit cursor],
      organizations_update_metadata_json: %i[organization_id body],
      organizations_update_member_metadata_json: %i[organization_id user_id body],
      invitations_create_json: %i[body],
      invitations_list_json: %i[limit cursor statuses search],
      invitations_get_json: %i[invitation_id],
      invitations_resend_json: %i[invitation_id],
      invitations_revoke: %i[invitation_id],
      invitations_update_metadata_json: %i[invitation_id body],
      impersonation_create_token_json: %i[user_id body],
      allowed_origins_get_json: [],
      allowed_origins_set_json: %i[body],
      request_json: %i[method path query body]
    }.freeze

    OPERATIONS.each do |name, arguments|
      types = arguments.flat_map { |argument| argument == :limit ? [:uint32] : TEXT }
      types << :pointer if name.end_with?('_json')
      attach_function :"torii_client_#{name}", [:pointer, *types, :pointer], :uint32, blocking: true
    end

    # Secrets, id, timestamp, signature and body, then the time and the tolerance.
    attach_function :torii_webhook_verify_standard,
                    [*TEXT * 5, :int64, :int64, :pointer, :pointer, :pointer], :uint32

    # @param status [Integer] what a function returned
    # @param error [FFI::Pointer] where it put its error
    # @raise [Torii::Error] unless it succeeded
    def self.check(status, error)
      raise Error.take(status, error.read_pointer) unless status.zero?
    end

    # Runs a block that must not be left halfway, lest what it got from the library be lost. What would
    # interrupt the thread (a timeout, Thread#kill) does so right afterwards.
    def self.uninterrupted(&block) = Thread.handle_interrupt(Object => :never, &block)

    # @return [String] the text of a JSON handle, which is freed
    def self.take_json(json)
      length = FFI::MemoryPointer.new(:size_t)
      text = torii_json_text(json, length)
      text.read_bytes(length.read(:size_t)).force_encoding(Encoding::UTF_8)
    ensure
      torii_json_free(json)
    end

    # @return [String, nil] the value, when it can go in as text
    # @raise [TypeError] naming the argument
    def self.text(value, name)
      return value if value.nil? || value.is_a?(String)

      raise TypeError, "#{name} has to be a String, not #{value.class}"
    end
  end
end
