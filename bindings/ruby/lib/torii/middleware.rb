# frozen_string_literal: true

require 'torii'
require 'rack/utils'

module Torii
  # Rack middleware: lets a request through when its token is good, with the {Auth} in
  # <tt>env['torii.auth']</tt>. Answers 401 for a bad token, 403 for a good one that does not meet a
  # requirement, and 503 when the issuer's keys cannot be had.
  #
  #   use Torii::Middleware, issuer: 'https://acme.torii.so', cookie: 'torii_token'
  class Middleware
    # Where the application finds the {Auth}.
    ENV_KEY = 'torii.auth'

    # @param issuer [String, nil] the issuer, when no verifier is given
    # @param verifier [Verifier, nil]
    # @param header [String] the header that holds "Bearer <token>"
    # @param cookie [String, nil] a cookie that holds the token, for requests without the header
    # @param optional [Boolean] let requests without a token through, without an {Auth}
    # @param options [Hash] those of {Verifier#initialize}
    def initialize(app, issuer: nil, verifier: nil, header: 'Authorization', cookie: nil, optional: false, **options)
      raise ArgumentError, 'give either issuer or verifier' unless issuer.nil? ^ verifier.nil?

      @app = app
      @verifier = verifier || Verifier.new(issuer, **options)
      @header = "HTTP_#{header.upcase.tr('-', '_')}"
      @cookie = cookie
      @optional = optional
    end

    def call(env)
      begin
        env[ENV_KEY] = authenticate(env)
      rescue TokenError => e
        return unauthorized(e) unless @optional && e.status == :token_missing
      rescue PolicyError => e
        return answer(403, 'forbidden', e.message)
      rescue KeysUnavailableError => e
        return unavailable(e)
      end
      @app.call(env)
    end

    private

    def authenticate(env)
      header = env[@header]
      return @verifier.authenticate(header) unless header.nil? || header.empty?

      @verifier.verify(@cookie && Rack::Utils.parse_cookies(env)[@cookie])
    end

    def unauthorized(error)
      reason = ', error="invalid_token"' unless error.status == :token_missing
      answer(401, 'authentication_failed', error.message, 'www-authenticate' => "Bearer realm=\"torii\"#{reason}")
    end

    # Why keys cannot be had is nothing the client should know.
    def unavailable(error)
      answer(503, 'keys_unavailable', 'The login cannot be checked at the moment',
             'retry-after' => [error.retry_after.to_i, 1].max.to_s)
    end

    def answer(status, code, message, headers = {})
      body = JSON.generate(error: { code: code, message: message })
      [status, { 'content-type' => 'application/json', **headers }, [body]]
    end
  end
end
