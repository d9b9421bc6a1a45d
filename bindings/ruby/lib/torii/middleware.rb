# frozen_string_literal: true

require 'torii'

module Torii
  # Rack middleware: lets requests with a valid token pass, with the {Auth} in <tt>env['torii.auth']</tt>.
  # Answers 401 without a valid token, 403 if it does not meet a requirement, 503 if the issuer's keys are
  # unavailable.
  #
  #   use Torii::Middleware, issuer: 'https://acme.torii.so'
  #
  # Routes with requirements of their own share the verifier, and with it the keys and the token cache:
  #
  #   map '/admin' do
  #     use Torii::Middleware, verifier: VERIFIER, requirements: ADMIN
  #   end
  class Middleware
    # Where the application finds the {Auth}; nil for a request without an identity.
    ENV_KEY = 'torii.auth'

    # @param issuer [String, nil] the issuer, if no verifier is given
    # @param verifier [Verifier, nil]
    # @param requirements [Requirements, nil] of these routes, in addition to the verifier's
    # @param header [String] the header that holds "Bearer <token>"
    # @param cookie [String, nil] a cookie of your application that holds the token, for requests without
    #   the header
    # @param optional [Boolean] whether requests without credentials pass, without an {Auth}; has no effect
    #   together with requirements
    # @param skip [Array<String>] exact paths, without query, whose requests pass without an {Auth}
    # @param options [Hash] options of {Verifier#initialize}, together with +issuer+
    def initialize(app, issuer: nil, verifier: nil, requirements: nil, header: 'Authorization', cookie: nil,
                   optional: false, skip: [], **options)
      raise ArgumentError, 'issuer, verifier: expected one of them' unless issuer.nil? ^ verifier.nil?
      raise ArgumentError, "#{options.keys.first}: an option of the verifier" if verifier && options.any?

      @app = app
      @verifier = verifier || Verifier.new(issuer, **options)
      @requirements = requirements
      @header = "HTTP_#{header.upcase.tr('-', '_')}"
      @cookie = cookie&.b
      @optional = optional && requirements.nil?
      @skip = skip.map(&:dup)
    end

    # Passes a request with a valid token to the application, and answers any other.
    # @param env [Hash] the Rack environment
    # @return [Array] the Rack response
    def call(env)
      begin
        env[ENV_KEY] = authenticate(env)
      rescue TokenError, PolicyError, KeysUnavailableError => e
        return self.class.response(e, head: env['REQUEST_METHOD'] == 'HEAD')
      end
      @app.call(env)
    end

    # @param error [Error] why a request is refused
    # @param head [Boolean] whether the request is a HEAD request, whose answer has no body
    # @return [Array] the Rack response for it, which does not tell the client the reason
    def self.response(error, head: false)
      headers = { 'content-type' => 'application/json', 'cache-control' => 'no-store' }
      headers['www-authenticate'] = error.www_authenticate if error.www_authenticate
      headers['retry-after'] = [error.retry_after.to_i, 1].max.to_s if error.answer_status == 503
      body = JSON.generate(error: { code: error.public_code, message: error.public_message })
      [error.answer_status, headers, head ? [] : [body]]
    end

    private

    # @return [Auth, nil]
    def authenticate(env)
      return if @skip.include?("#{env['SCRIPT_NAME']}#{env['PATH_INFO']}")

      header = env[@header]
      return @verifier.authenticate(header, requirements: @requirements) unless blank?(header)

      token = @cookie && cookie(env)
      return if blank?(token) && @optional

      @verifier.verify(blank?(token) ? nil : token, requirements: @requirements)
    end

    def blank?(text) = text.nil? || text.b.match?(/\A[ \t]*\z/n)

    # @return [String, nil] the value of the cookie, without its quotes (RFC 6265 §4.1.1). The values of a
    #   cookie that comes twice are joined by ", ", which no token contains.
    def cookie(env)
      header = env['HTTP_COOKIE'].to_s.b
      values = cookies(header.split(';'))
      # puma 5 joins several Cookie headers by ", ", which hides a second cookie in the value of another.
      values = cookies(header.split(/;|, /n)) if values.any?
      values.join(', ') if values.any?
    end

    def cookies(pairs)
      pairs.filter_map do |pair|
        name, value = pair.split('=', 2).map { |part| part.gsub(/\A[ \t]+|[ \t]+\z/n, '') }
        value&.sub(/\A"(.*)"\z/mn, '\1') if name == @cookie
      end
    end
  end
end
