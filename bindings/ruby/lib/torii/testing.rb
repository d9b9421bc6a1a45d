# frozen_string_literal: true

require 'torii'

module Torii
  # A local torii for the tests of your application: real tokens, users and key faults, no network.
  #
  #   torii = Torii::Testing::LocalTorii.new
  #   token = torii.token(claims: { sub: 'user-1', email_verified: true })
  #   torii.verifier.verify(token).user_id # => "user-1"
  #   torii.stop
  #
  # It runs the program torii-emulator, which ends with this process. TORII_EMULATOR names the program;
  # otherwise it is found beside the loaded libtorii, or in PATH.
  module Testing
    PROGRAM = 'torii-emulator'
    private_constant :PROGRAM

    # An environment of the local torii: an issuer with its keys, users and a secret key.
    class Environment
      # @return [String]
      attr_reader :name, :id, :issuer, :secret_key

      # @api private
      def initialize(torii, about)
        @torii = torii
        @name = about.fetch('name')
        @id = about.fetch('environment_id')
        @issuer = about.fetch('issuer')
        @secret_key = about.fetch('secret_key')
      end

      # Returns a signed token, by default of a new user and valid for 300 seconds.
      # @param request [Hash] members of a token request of the control API, such as
      #   <tt>claims: { sub: 'user-1' }</tt>, <tt>expires_in: -60</tt> or <tt>signer: 'forged'</tt>
      # @return [String]
      def token(**request) = ask('POST', '/tokens', request).fetch('token')

      # Signs in a user of this environment, whom {#client} creates.
      # @param options [Hash] members of a session, such as +active_organization_id+
      # @return [Session]
      def sign_in(user_id, **options)
        answer = ask('POST', '/sessions', { user_id: user_id, **options })
        Session.new(answer.dig('session', 'id'), answer.fetch('token'))
      end

      # Answers key fetches with this HTTP status until {LocalTorii#clear_faults}. Drops the keys that this
      # process has.
      def fail_keys(status: 503)
        @torii.fault("/#{name}/", kind: 'status', status: status)
        Torii.clear_keys
      end

      # Signs with a new key, and publishes it. The earlier keys stay published.
      # @return [String] the +kid+ of the new key
      def rotate_keys = ask('POST', '/keys', {}).fetch('kid')

      # Removes a key from the published ones.
      def remove_key(kid) = ask('DELETE', "/keys/#{URI.encode_www_form_component(kid)}")

      # Creates a verifier of its tokens, with options of {Verifier}.
      # @return [Verifier]
      def verifier(**options) = Verifier.new(issuer, **options)

      # Creates a client for it, with options of {Client}.
      # @return [Client]
      def client(**options) = Client.new(secret_key, api_url: @torii.url, **options)

      private

      def ask(method, path, body = nil) = @torii.control(method, "/issuers/#{name}#{path}", body)
    end

    # A signed-in user: the id of the session, and a token for it.
    Session = Struct.new(:id, :token)

    # A running local torii, with its environment +acme+.
    class LocalTorii < Environment
      # @return [String] the base URL of the API
      attr_reader :url
      # @return [Integer] the process id of the program
      attr_reader :pid

      # Starts the program.
      # @raise [RuntimeError] if it is not found or does not start
      def initialize
        program = Testing.program
        @process = IO.popen([program, '--until-stdin-closes'], 'r+')
        line = @process.gets or raise "#{program}: #{wait}"
        about = JSON.parse(line)
        @url = about.fetch('url')
        @pid = about.fetch('pid')
        super(self, { 'name' => 'acme', **about })
        # An answer may take long on a busy machine.
        @control = client(timeout: 120)
      end

      # Creates a further environment; it exists until {#reset}.
      # @return [Environment]
      def new_environment(name) = Environment.new(self, control('POST', '/issuers', { name: name }))

      # Calls the control API, which the README of torii-emulator describes.
      # @param method [String] "GET", "POST", "PUT", "PATCH" or "DELETE"
      # @param body [Hash, nil]
      # @return [Object, nil] the answer as parsed JSON
      def control(method, path, body = nil)
        path, query = path.split('?', 2)
        query &&= URI.decode_www_form(query)
        @control.request(method, "/_emulator#{path}", query: query, body: body&.transform_keys(&:to_s))
      rescue ApiError => e
        raise "#{method} #{path}: #{e.message} #{e.body}"
      end

      # Injects a fault of the control API, such as <tt>kind: 'hang'</tt>, into requests to paths that begin
      # like this, a number of times or until {#clear_faults}.
      def fault(path, times: nil, **fault)
        control('POST', '/faults', { path: path, times: times, fault: fault }.compact)
      end

      # Ends all faults. This process fetches keys again, without the backoff after a failure.
      def clear_faults
        control('DELETE', '/faults')
        Torii.clear_keys
      end

      # @return [Array<Hash>] the requests to paths that begin like this, at most the last 1000
      def requests(path = '/') = control('GET', "/requests?path=#{path}").fetch('requests')

      # Restores the state after the start, and drops the keys that this process has.
      def reset
        control('POST', '/reset')
        Torii.clear_keys
      end

      # Ends the program.
      def stop
        Process.kill(:TERM, pid)
        wait
      end

      private

      def wait
        @process.close
        Process.last_status
      end
    end

    # @api private
    # @return [String] the path of the program
    def self.program
      named = ENV.fetch('TORII_EMULATOR', '')
      return executable(named) || raise("TORII_EMULATOR: #{named} is not a program") unless named.empty?

      beside = folder_of_the_library
      places = [*beside, *ENV.fetch('PATH', '').split(File::PATH_SEPARATOR)]
      places.filter_map { |folder| executable(File.join(folder, PROGRAM)) }.first ||
        raise("#{PROGRAM}: found neither in #{beside || 'the folder of libtorii'} nor in PATH. " \
              'Install it with libtorii, or set TORII_EMULATOR to its full path.')
    end

    def self.executable(path) = (path if File.file?(path) && File.executable?(path))

    def self.folder_of_the_library
      File.read('/proc/self/maps')[%r{(/.*)/libtorii\.[^/\n]*$}, 1]
    rescue SystemCallError
      nil
    end
    private_class_method :executable, :folder_of_the_library
  end
end
