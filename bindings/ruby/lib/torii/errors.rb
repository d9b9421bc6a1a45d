# frozen_string_literal: true

module Torii
  # Why a call failed. The message is one line and holds no token, key or secret, so it can be logged.
  class Error < StandardError
    # @return [Symbol] what went wrong, as in :token_expired: the name in torii.h without TORII_ERR_
    attr_reader :status
    # @return [Integer, nil] the HTTP status of the API's answer
    attr_reader :http_status
    # @return [String, nil] what the API calls the problem, for programs
    attr_reader :code
    # @return [String, nil] what to name to torii's support
    attr_reader :support_id
    # @return [String, nil] the API's answer; unlike the message it may be about people
    attr_reader :body
    # @return [Integer, nil] seconds after which trying again can help
    attr_reader :retry_after
    # @return [Integer] the HTTP status a server answers its own client because of this
    attr_reader :answer_status

    def initialize(message = nil, status: :internal, answer_status: 500, http_status: nil, code: nil,
                   support_id: nil, body: nil, retry_after: nil)
      super(message)
      @status = status
      @answer_status = answer_status
      @http_status = http_status
      @code = code
      @support_id = support_id
      @body = body
      @retry_after = retry_after
    end

    # @api private
    # @return [Error] the error of the library as one of Ruby's; the former is freed
    def self.take(status, error)
      http_status = Native.torii_error_http_status(error)
      retry_after = Native.torii_error_retry_after(error)
      of(status).new(
        utf8(Native.torii_error_message(error, nil)),
        status: Native.torii_status_name(status).delete_prefix('TORII_ERR_').downcase.to_sym,
        answer_status: Native.torii_status_http(status),
        http_status: (http_status unless http_status.zero?),
        code: utf8(Native.torii_error_code(error, nil)),
        support_id: utf8(Native.torii_error_support_id(error, nil)),
        body: utf8(Native.torii_error_body(error, nil)),
        retry_after: (retry_after unless retry_after.negative?)
      )
    ensure
      Native.torii_error_free(error)
    end

    # Statuses a later release adds belong to the class of their range.
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

  # An argument is wrong; the message names it.
  class InvalidArgumentError < Error; end

  # An option, or a combination of options, is wrong; the message names it.
  class InvalidConfigError < InvalidArgumentError; end

  # The token is bad: answer 401.
  class TokenError < Error; end

  # The token is good but does not meet a requirement: answer 403.
  class PolicyError < Error; end

  # The issuer's keys cannot be had, so nothing can be said about the token: answer 503.
  class KeysUnavailableError < Error; end

  # The API answered, but not with success.
  class ApiError < Error; end

  # The API could not be reached, or the connection to it was lost.
  class TransportError < Error; end

  # The API took longer than the timeout.
  class TimeoutError < TransportError; end

  # The API answered with success, but the answer cannot be understood.
  class ResponseError < Error; end

  # The webhook is not genuine: answer 400.
  class WebhookError < Error; end

  # A defect of the library. The process, and every other object, is unharmed.
  class InternalError < Error; end

  # The verifier or client was closed.
  class ClosedError < Error
    def initialize(what) = super("#{what} is closed", status: :invalid_argument)
  end
end
