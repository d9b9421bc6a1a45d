# frozen_string_literal: true

require 'ffi'

module Torii
  # The C functions of torii.h, under their own names. Everything else in this gem is built on them;
  # programs do not need them.
  # @api private
  module Native
    extend FFI::Library

    # The ABI version of these declarations.
    ABI_VERSION = 0

    # The file name of the library on an operating system, as FFI names it.
    # @return [String]
    def self.file_name(system)
      case system
      when 'darwin' then "libtorii.#{ABI_VERSION}.dylib"
      when 'windows' then 'torii.dll'
      else "libtorii.so.#{ABI_VERSION}"
      end
    end

    # The file name of the library on this one.
    LIBRARY = file_name(FFI::Platform::OS)

    # The library in a gem for one platform.
    BUNDLED = File.join(__dir__, LIBRARY)

    # Loads the library and checks its ABI version.
    # @raise [LoadError]
    def self.load_library
      @library_path = path = find_library
      attach_function :torii_abi_version, [], :uint32
      return if torii_abi_version == ABI_VERSION

      raise LoadError, "#{path} has the ABI version #{torii_abi_version}, but the gem torii #{VERSION} " \
                       "needs #{ABI_VERSION}: install the library of the same release"
    rescue FFI::NotFoundError => e
      raise LoadError, missing({ path => e })
    end

    # The library that is in use: a path, or the name that the dynamic linker was given.
    # @return [String]
    def self.library_path = @library_path

    # Uses the library that TORII_LIBRARY names, else that of the gem, else the dynamic linker's.
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
        "#{places.fetch(path, 'in TORII_LIBRARY')}, for #{path} (#{error.message.lines.first&.chomp})"
      end
      "libtorii was not found: looked #{tried.join('; ')}. Install the package libtorii0, or the gem for this " \
        "platform if there is one, or set TORII_LIBRARY to the full path of #{LIBRARY}"
    end
    private_class_method :find_library, :candidates, :missing

    load_library

    # Text: a pointer to the bytes of a String, and their number.
    TEXT = %i[buffer_in size_t].freeze

    attach_function :torii_version, [], :string
    attach_function :torii_status_name, [:uint32], :string
    attach_function :torii_status_http, [:uint32], :uint32

    %i[message public_code public_message www_authenticate issuer code support_id body].each do |name|
      attach_function :"torii_error_#{name}", %i[pointer pointer], :string
    end
    attach_function :torii_error_http_status, [:pointer], :uint32
    attach_function :torii_error_retry_after, [:pointer], :int64
    attach_function :torii_error_unsent, [:pointer], :bool
    attach_function :torii_error_free, [:pointer], :void

    callback :clock, [:pointer], :int64
    attach_function :torii_verifier_options_new, [], :pointer
    %i[add_issuer add_audience set_jwks_json set_realm set_resource_metadata set_ca_file set_proxy set_key_cache_dir
       set_revocations_file].each do |name|
      attach_function :"torii_verifier_options_#{name}", [:pointer, *TEXT, :pointer], :uint32
    end
    attach_function :torii_verifier_options_add_issuer_jwks, [:pointer, *TEXT, *TEXT, :pointer], :uint32
    %i[set_leeway_seconds set_max_lifetime_seconds set_key_lifetime_seconds set_max_stale_seconds
       set_fetch_timeout_ms require].each do |name|
      attach_function :"torii_verifier_options_#{name}", %i[pointer uint32 pointer], :uint32
    end
    %i[set_ignore_audience set_legacy_organization set_background_refresh set_allow_http set_fixed_base
       set_metrics_issuer_label].each do |name|
      attach_function :"torii_verifier_options_#{name}", %i[pointer bool pointer], :uint32
    end
    attach_function :torii_verifier_options_set_requirements, %i[pointer pointer pointer], :uint32
    attach_function :torii_verifier_options_set_token_cache_bytes, %i[pointer size_t pointer], :uint32
    attach_function :torii_verifier_options_set_clock, %i[pointer clock pointer pointer], :uint32
    attach_function :torii_verifier_options_free, [:pointer], :void

    attach_function :torii_requirements_new, [], :pointer
    attach_function :torii_requirements_add_flags, %i[pointer uint32 pointer], :uint32
    attach_function :torii_requirements_add_claim, [:pointer, *TEXT, *TEXT, :pointer], :uint32
    attach_function :torii_requirements_add_organization, [:pointer, *TEXT, *TEXT, :pointer], :uint32
    attach_function :torii_requirements_free, [:pointer], :void

    attach_function :torii_verifier_new, [*TEXT, :pointer, :pointer, :pointer], :uint32
    # Verifier, text, how, requirements; buffer and its capacity; size and error.
    VERIFY = [:pointer, *TEXT, :uint32, :pointer, :pointer, :size_t, :pointer, :pointer].freeze
    private_constant :VERIFY
    # With TORII_VERIFY_NOWAIT: a call of a microsecond keeps Ruby's lock.
    attach_function :torii_verify_into, VERIFY, :uint32
    # Other threads run during the calls that wait for the network.
    attach_function :torii_verify_into_blocking, :torii_verify_into, VERIFY, :uint32, blocking: true
    attach_function :torii_verifier_refresh, %i[pointer pointer], :uint32, blocking: true
    attach_function :torii_verifier_revoke, [:pointer, *TEXT, :int64, :pointer], :uint32
    attach_function :torii_verifier_set_revocations_json, [:pointer, *TEXT, :pointer], :uint32
    # Verifier, buffer and its capacity, size and error.
    attach_function :torii_verifier_metrics, %i[pointer pointer size_t pointer pointer], :uint32
    attach_function :torii_verifier_stats_json, %i[pointer pointer pointer], :uint32
    attach_function :torii_verifier_free, [:pointer], :void
    attach_function :torii_jwks_cache_clear, [], :void

    attach_function :torii_json_text, %i[pointer pointer], :pointer
    attach_function :torii_json_free, [:pointer], :void

    attach_function :torii_client_options_new, [], :pointer
    %i[set_api_url set_ca_file set_proxy set_user_agent_suffix].each do |name|
      attach_function :"torii_client_options_#{name}", [:pointer, *TEXT, :pointer], :uint32
    end
    %i[set_timeout_ms set_connect_timeout_ms set_max_retries].each do |name|
      attach_function :"torii_client_options_#{name}", %i[pointer uint32 pointer], :uint32
    end
    attach_function :torii_client_options_set_allow_http, %i[pointer bool pointer], :uint32
    attach_function :torii_client_options_free, [:pointer], :void
    attach_function :torii_client_new, [*TEXT, :pointer, :pointer, :pointer], :uint32
    attach_function :torii_client_free, [:pointer], :void

    # The operations of the API, with the names of their arguments: a limit is a number, all others are
    # text. Operations whose names end in _json return JSON.
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

    attach_function :torii_webhook_new, [*TEXT, :pointer, :pointer], :uint32
    attach_function :torii_webhook_add_secret, [:pointer, *TEXT, :pointer], :uint32
    attach_function :torii_webhook_set_tolerance_seconds, %i[pointer uint32 pointer], :uint32
    # Webhook, id, timestamp, signature, body, now; time of sending and error.
    attach_function :torii_webhook_verify, [:pointer, *TEXT * 4, :int64, :pointer, :pointer], :uint32
    attach_function :torii_webhook_free, [:pointer], :void

    # @param status [Integer] what a function returned
    # @param error [FFI::Pointer] where it put its error
    # @raise [Torii::Error] unless it succeeded
    def self.check(status, error)
      raise Error.take(status, error) unless status.zero?
    end

    # Runs a block that must not be interrupted, so that it can free what the library returns. An
    # interrupt of the thread (a timeout, Thread#kill) takes effect afterwards.
    def self.uninterrupted(&block) = Thread.handle_interrupt(Object => :never, &block)

    # @return [String] the text of a JSON handle, which is freed
    def self.take_json(json)
      length = FFI::MemoryPointer.new(:size_t)
      text = torii_json_text(json, length)
      text.read_bytes(length.read(:size_t)).force_encoding(Encoding::UTF_8)
    ensure
      torii_json_free(json)
    end

    # @return [String, nil] the value
    # @raise [TypeError] that names the argument, for anything else
    def self.text(value, name)
      return value if value.nil? || value.is_a?(String)

      raise TypeError, "#{name}: #{value.class} (expected a String)"
    end
  end
end
