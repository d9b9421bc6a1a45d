# frozen_string_literal: true

module Torii
  # Why a call failed. The message is one line without tokens, keys and secrets, so it can be logged. Send
  # your own clients {#public_code} and {#public_message} instead: they must not learn the reason.
  class Error < StandardError
    # @return [Symbol] such as :token_expired: the name in torii.h without TORII_ERR_
    attr_reader :status
    # @return [Integer] the HTTP status to answer your own client with
    attr_reader :answer_status
    # @return [String, nil] the error code to send to a client, such as "authentication_failed"
    attr_reader :public_code
    # @return [String, nil] the message to send to a client: a constant for each status
    attr_reader :public_message
    # @return [String, nil] the WWW-Authenticate header of a 401 or 403 (RFC 6750)
    attr_reader :www_authenticate
    # @return [Integer, nil] seconds after which a retry can help, for a Retry-After header
    attr_reader :retry_after
    # @return [String, nil] the issuer whose keys are missing
    attr_reader :issuer
    # @return [Integer, nil] the HTTP status of the API's answer
    attr_reader :http_status
    # @return [String, nil] the API's error code
    attr_reader :code
    # @return [String, nil] the id to name to torii's support
    attr_reader :support_id
    # @return [String, nil] the API's answer; unlike the message it may contain personal data
    attr_reader :body

    def initialize(message = nil, status: :internal, answer_status: 500, public_code: nil, public_message: nil,
                   www_authenticate: nil, retry_after: nil, issuer: nil, http_status: nil, code: nil,
                   support_id: nil, body: nil, unsent: false)
      super(message)
      @status = status
      @answer_status = answer_status
      @public_code = public_code
      @public_message = public_message
      @www_authenticate = www_authenticate
      @retry_after = retry_after
      @issuer = issuer
      @http_status = http_status
      @code = code
      @support_id = support_id
      @body = body
      @unsent = unsent
    end

    # Whether nothing of an API call left this host, so that repeating it is safe.
    def unsent? = @unsent

    # @api private
    # @param place [FFI::Pointer] where a function put its error, which is freed
    # @return [Error]
    def self.take(status, place)
      error = place.read_pointer
      http_status = Native.torii_error_http_status(error)
      retry_after = Native.torii_error_retry_after(error)
      of(status).new(
        utf8(Native.torii_error_message(error, nil)),
        status: Native.torii_status_name(status).delete_prefix('TORII_ERR_').downcase.to_sym,
        answer_status: Native.torii_status_http(status),
        retry_after: (retry_after unless retry_after.negative?),
        http_status: (http_status unless http_status.zero?),
        unsent: Native.torii_error_unsent(error),
        **TEXTS.to_h { |name, function| [name, utf8(Native.public_send(function, error, nil))] }
      )
    ensure
      drop(place)
    end

    # @api private
    # @param place [FFI::Pointer] where a function put its error, which is freed
    def self.drop(place)
      Native.torii_error_free(place.read_pointer)
      place.write_pointer(nil)
    end

    TEXTS = %i[public_code public_message www_authenticate issuer code support_id body]
            .to_h { |name| [name, :"torii_error_#{name}"] }.freeze
    private_constant :TEXTS

    # Statuses of later releases belong to the class of their range.
    def self.of(status)
      case status
      when 2 then InvalidConfigError
      when 1..99 then InvalidArgumentError
      when 100..149 then TokenError
      when 150..199 then PolicyError
      when 200..299 then KeysUnavailableError
      when 301 then TransportError
      when 302 then TimeoutError
      when 303 then ResponseError
      when 300..349 then ApiError
      when 350..399 then WebhookError
      else InternalError
      end
    end
    private_class_method :of

    def self.utf8(text) = text&.force_encoding(Encoding::UTF_8)
    private_class_method :utf8
  end

  # An argument is invalid; the message names it.
  class InvalidArgumentError < Error; end

  # An option or a combination of options is invalid; the message names it.
  class InvalidConfigError < InvalidArgumentError; end

  # The token is invalid: answer 401.
  class TokenError < Error; end

  # The token is valid but does not meet a requirement: answer 403.
  class PolicyError < Error; end

  # Signing keys unavailable; the token could not be verified: answer 503.
  class KeysUnavailableError < Error; end

  # The API answered with an error.
  class ApiError < Error; end

  # The API could not be reached, or the connection was lost.
  class TransportError < Error; end

  # The call took longer than the client's timeout.
  class TimeoutError < TransportError; end

  # The API's successful answer is not JSON, is truncated, or is too long.
  class ResponseError < Error; end

  # The webhook is invalid: answer 400.
  class WebhookError < Error; end

  # A defect of the library. The process and other objects stay usable.
  class InternalError < Error; end

  # The verifier, client or webhook verifier was closed.
  class ClosedError < Error
    def initialize(what) = super("#{what} is closed", status: :invalid_argument)
  end
end
