# frozen_string_literal: true

module Torii
  # Options of a verifier or a client, as the library takes them. nil keeps the default.
  # @api private
  class Options
    # @param kind [Symbol] :verifier or :client
    def initialize(kind)
      @kind = kind
      @options = FFI::AutoPointer.new(Native.public_send(:"torii_#{kind}_options_new"),
                                      Native.method(:"torii_#{kind}_options_free"))
      @error = FFI::MemoryPointer.new(:pointer)
    end

    def text(name, *values)
      values.each { |value| raise TypeError, "#{name}: #{value.class} (expected a String)" unless value.is_a?(String) }
      set(name, *values.flat_map { |value| [value, value.bytesize] })
    end

    def optional_text(name, value)
      text(name, value) unless value.nil?
    end

    def milliseconds(name, seconds)
      optional(name, (seconds * 1000).round) unless seconds.nil?
    end

    # FFI would pass -1 as the largest number.
    def size(name, value)
      return if value.nil?
      raise InvalidArgumentError.new("#{name}: negative", status: :invalid_argument) if value.negative?

      set(name, value)
    end

    # Numbers, booleans and pointers.
    def optional(name, *values)
      set(name, *values) unless values.first.nil?
    end

    # @return [Handle] of the verifier or client with these options
    def make(owner, subject, name)
      Native.text(subject, name)
      out = FFI::MemoryPointer.new(:pointer)
      check(Native.public_send(:"torii_#{@kind}_new", subject, subject.to_s.bytesize, @options, out, @error))
      Handle.new(owner, out.read_pointer, :"torii_#{@kind}_free")
    end

    private

    def set(name, *values)
      check(Native.public_send(:"torii_#{@kind}_options_#{name}", @options, *values, @error))
    end

    def check(status) = Native.check(status, @error)
  end
end
