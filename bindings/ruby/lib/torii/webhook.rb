# frozen_string_literal: true

module Torii
  # A webhook that is genuine.
  #
  #   webhook = Torii::Webhook.verify(request.body.read, request.env, secrets: [secret])
  #   webhook.id
  class Webhook
    # The headers, in the order in which the library takes them; the second where none of the first is.
    HEADERS = [%w[webhook-id webhook-timestamp webhook-signature], %w[svix-id svix-timestamp svix-signature]].freeze
    private_constant :HEADERS

    # @return [String] the same each time a webhook is delivered
    attr_reader :id
    # @return [Time] when it was sent
    attr_reader :sent_at
    # @return [Integer] which of the secrets it was signed with
    attr_reader :secret_index

    def initialize(id:, sent_at:, secret_index: 0)
      @id = id
      @sent_at = sent_at
      @secret_index = secret_index
    end

    # Tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with one of the
    # secrets, and sent lately. It can be delivered more than once, each time with the same id: remember
    # those of the last minutes if that does harm.
    #
    # @param body [String] the body of the request, before anything parsed it
    # @param headers [Hash, #each] those of the request, or a Rack environment: +webhook-id+,
    #   +webhook-timestamp+ and +webhook-signature+ or, where there is none of these, +svix-id+ and so on;
    #   case does not matter, and a value may be an Array
    # @param secrets [Array<String>, String] "whsec_…", several while they are being changed
    # @param tolerance [Integer] seconds before or after +now+ that it may have been sent
    # @param now [Time, Integer] the time, or Unix seconds
    # @return [Webhook]
    # @raise [WebhookError] answer 400
    # @raise [InvalidConfigError] for a secret that is none, by its number
    def self.verify(body, headers, secrets:, tolerance: 300, now: Time.now)
      raise TypeError, "body has to be a String, not #{body.class}" unless body.is_a?(String)

      values = find(headers)
      index = FFI::MemoryPointer.new(:size_t)
      sent_at = FFI::MemoryPointer.new(:int64)
      error = FFI::MemoryPointer.new(:pointer)
      texts = [join(secrets), *values, body].flat_map { |text| [text, text.to_s.bytesize] }
      status = Native.torii_webhook_verify_standard(*texts, Time.at(now).to_i, tolerance, index, sent_at, error)
      Native.check(status, error)
      new(id: values.first.force_encoding(Encoding::UTF_8), sent_at: Time.at(sent_at.read_int64),
          secret_index: index.read(:size_t))
    end

    # An empty secret would not count, and a space would be the end of one.
    def self.join(secrets)
      Array(secrets).each.with_index(1).map do |secret, number|
        raise TypeError, "secrets: number #{number}: not a String" unless secret.is_a?(String)

        secret = secret.b
        next secret unless secret.empty? || secret.match?(/\s/n)

        raise InvalidConfigError.new("secrets: number #{number}: empty, or with white space in it",
                                     status: :invalid_config)
      end.join(' ')
    end
    private_class_method :join

    # @return [Array<String, nil>] id, timestamp and signature
    def self.find(headers)
      raise TypeError, "headers has to be a Hash, not #{headers.class}" unless headers.respond_to?(:each)

      found = {}
      headers.each do |name, value|
        # Rack says HTTP_WEBHOOK_ID.
        name = name.to_s.b.downcase.tr('_', '-').delete_prefix('http-')
        (found[name] ||= []).concat(texts(value, name)) if HEADERS.flatten.include?(name)
      end
      names = HEADERS.find { |each| each.any? { |name| found.fetch(name, []).any? } } || []
      names.map { |name| found[name]&.join(', ') }.values_at(0, 1, 2)
    end
    private_class_method :find

    def self.texts(value, name)
      Array(value).map { |each| Native.text(each, name).to_s.b }
    end
    private_class_method :texts
  end
end
