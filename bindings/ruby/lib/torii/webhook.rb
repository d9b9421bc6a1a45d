# frozen_string_literal: true

module Torii
  # A verified webhook.
  class Webhook
    # @return [String] the same each time a webhook is delivered
    attr_reader :id
    # @return [Time] when it was sent
    attr_reader :sent_at

    def initialize(id:, sent_at:)
      @id = id
      @sent_at = sent_at
    end
  end

  # Verifies webhooks as Standard Webhooks 1.0.0 describes. Create one at startup; any number of threads
  # may share it.
  #
  #   webhooks = Torii::WebhookVerifier.new(ENV.fetch('WEBHOOK_SECRET'))
  #   webhooks.verify(request.body.read, request.env).id
  class WebhookVerifier
    # The headers, in the order of the library's arguments; the second set if none of the first is present.
    HEADERS = [%w[webhook-id webhook-timestamp webhook-signature], %w[svix-id svix-timestamp svix-signature]].freeze
    private_constant :HEADERS

    # @param secrets [Array<String>, String] "whsec_…"; several while secrets are being rotated
    # @param tolerance [Integer, nil] seconds that a webhook may have been sent before or after now (300)
    # @raise [InvalidConfigError] for an invalid secret, by its number
    # @raise [InvalidArgumentError]
    def initialize(secrets, tolerance: nil)
      error = FFI::MemoryPointer.new(:pointer)
      first, *others = texts(secrets)
      @handle = Handle.new(self.class, create(first, error), :torii_webhook_free)
      others.each.with_index(2) { |secret, number| numbered(number) { add_secret(secret, error) } }
      return if tolerance.nil?

      Native.check(Native.torii_webhook_set_tolerance_seconds(@handle.pointer, tolerance, error), error)
    end

    # Verifies one webhook. A webhook may be delivered more than once, with the same id: ignore ids you have
    # processed.
    #
    # @param body [String] the body of the request as received, before any parsing
    # @param headers [Hash, #each] the headers of the request, or a Rack environment: +webhook-id+,
    #   +webhook-timestamp+ and +webhook-signature+ or, if none of these is present, +svix-id+ and so on.
    #   Case does not matter, and a value may be an Array.
    # @param now [Time, Integer] the time, or Unix seconds
    # @return [Webhook]
    # @raise [WebhookError] answer 400
    def verify(body, headers, now: Time.now)
      raise TypeError, "body: #{body.class} (expected a String)" unless body.is_a?(String)

      values = find(headers)
      now = Time.at(now).to_i
      arguments = [*values, body].flat_map { |text| [text, text.to_s.bytesize] }
      sent_at = @handle.use do |webhook, call|
        Native.check(Native.torii_webhook_verify(webhook, *arguments, now, call.out, call.error), call.error)
        call.out.read_int64
      end
      Webhook.new(id: values.first.force_encoding(Encoding::UTF_8), sent_at: Time.at(sent_at))
    end

    # Frees the secrets, at once or at the end of the last call in flight.
    # @return [nil]
    def close = @handle.close

    # Whether {#close} was called.
    def closed? = @handle.closed?

    # @return [String] without the secrets
    def inspect = "#<#{self.class}#{' closed' if closed?}>"

    private

    def texts(secrets)
      secrets = Array(secrets)
      raise InvalidConfigError.new('secrets: none (expected at least one)', status: :invalid_config) if secrets.empty?

      secrets.each.with_index(1) do |secret, number|
        raise TypeError, "secrets: number #{number}: #{secret.class} (expected a String)" unless secret.is_a?(String)
      end
    end

    def create(secret, error)
      out = FFI::MemoryPointer.new(:pointer)
      numbered(1) { Native.check(Native.torii_webhook_new(secret, secret.bytesize, out, error), error) }
      out.read_pointer
    end

    def add_secret(secret, error)
      Native.check(Native.torii_webhook_add_secret(@handle.pointer, secret, secret.bytesize, error), error)
    end

    def numbered(number)
      yield
    rescue InvalidConfigError => e
      raise InvalidConfigError.new("secrets: number #{number}: #{e.message}", status: e.status), cause: nil
    end

    # @return [Array<String, nil>] id, timestamp and signature
    def find(headers)
      raise TypeError, "headers: #{headers.class} (expected a Hash)" unless headers.respond_to?(:each)

      found = {}
      headers.each do |name, value|
        # Rack's name is HTTP_WEBHOOK_ID.
        name = name.to_s.b.downcase.tr('_', '-').delete_prefix('http-')
        (found[name] ||= []).concat(values(value, name)) if HEADERS.flatten.include?(name)
      end
      names = HEADERS.find { |each| each.any? { |name| found.fetch(name, []).any? } } || []
      names.map { |name| found[name]&.join(', ') }.values_at(0, 1, 2)
    end

    def values(value, name) = Array(value).map { |each| Native.text(each, name).to_s.b }
  end
end
