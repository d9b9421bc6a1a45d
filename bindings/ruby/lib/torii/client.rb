# frozen_string_literal: true

require 'json'
require 'uri'

module Torii
  # Calls the backend API with the secret key of one environment. Any number of threads may share a client.
  # A client created before fork works in the children, with connections of their own.
  #
  #   client = Torii::Client.new(ENV.fetch('TORII_SECRET_KEY'))
  #   client.users.update(user_id, first_name: 'Ada', last_name: nil)
  class Client
    # @return [Users]
    attr_reader :users
    # @return [Sessions]
    attr_reader :sessions
    # @return [Organizations]
    attr_reader :organizations
    # @return [Invitations]
    attr_reader :invitations
    # @return [Impersonation]
    attr_reader :impersonation
    # @return [AllowedOrigins]
    attr_reader :allowed_origins

    # Sends nothing yet. Options that are nil keep the library's default.
    #
    # @param secret_key [String] "sk_live_…" or "sk_test_…"
    # @param api_url [String, nil] "https://api.torii.so"
    # @param timeout [Numeric, nil] seconds for a call, including its retries (30)
    # @param connect_timeout [Numeric, nil] seconds for connecting (5)
    # @param max_retries [Integer, nil] how often a call is retried (2)
    # @param ca_file [String, nil] a PEM file of certificate authorities, instead of the platform's
    # @param proxy [String, nil] such as "http://proxy.example:3128"
    # @param user_agent_suffix [String, nil] such as "shop/1.2"
    # @param allow_http [Boolean] plain http to other hosts: anyone on the path learns the secret key
    # @raise [InvalidArgumentError]
    def initialize(secret_key, api_url: nil, timeout: nil, connect_timeout: nil, max_retries: nil, ca_file: nil,
                   proxy: nil, user_agent_suffix: nil, allow_http: nil)
      options = Options.new(:client)
      options.optional_text(:set_api_url, api_url)
      options.milliseconds(:set_timeout_ms, timeout)
      options.milliseconds(:set_connect_timeout_ms, connect_timeout)
      options.optional(:set_max_retries, max_retries)
      options.optional_text(:set_ca_file, ca_file)
      options.optional_text(:set_proxy, proxy)
      options.optional_text(:set_user_agent_suffix, user_agent_suffix)
      options.optional(:set_allow_http, allow_http)
      @handle = options.make(self.class, secret_key, 'secret_key')
      @users = Users.new(self)
      @sessions = Sessions.new(self)
      @organizations = Organizations.new(self)
      @invitations = Invitations.new(self)
      @impersonation = Impersonation.new(self)
      @allowed_origins = AllowedOrigins.new(self)
    end

    # Calls an operation that is newer than this gem.
    #
    # @param method [String] "GET", "POST", "PUT", "PATCH" or "DELETE"
    # @param path [String] such as "/api/server/v1/users"
    # @param query [Hash, nil]
    # @param body [Hash, nil]
    # @return [Object, nil] the answer as parsed JSON; nil if it has no body
    def request(method, path, query: nil, body: nil)
      call(:request_json, method, path, query && URI.encode_www_form(query), body && Body.json(body))
    end

    # Closes the client and its connections, at once or at the end of the last call in flight.
    # @return [nil]
    def close = @handle.close

    # Whether {#close} was called.
    def closed? = @handle.closed?

    # @return [String] without the secret key
    def inspect = "#<#{self.class}#{' closed' if closed?}>"

    # @api private
    # @return [Object, nil] the parsed answer; nil for operations without one
    def call(operation, *arguments)
      inputs = inputs(operation, arguments)
      answer = @handle.use do |client, call|
        outputs = operation.end_with?('_json') ? [call.out] : []
        Native.uninterrupted do
          function = :"torii_client_#{operation}"
          Native.check(Native.public_send(function, client, *inputs, *outputs, call.error), call.error)
          Native.take_json(call.out.read_pointer) if outputs.any?
        end
      end
      answer && JSON.parse(answer)
    end

    private

    def inputs(operation, arguments)
      Native::OPERATIONS.fetch(operation).zip(arguments).flat_map do |name, value|
        next [Integer(value)] if name == :limit

        # A copy, since other threads run during the call.
        text = Native.text(value, name).dup
        [text, text ? text.bytesize : 0]
      end
    end
  end
end
