# frozen_string_literal: true

module Torii
  # Options of the library on their way into a verifier or a client.
  # @api private
  class Options
    # @param kind [Symbol] :verifier or :client
    def initialize(kind)
      @kind = kind
      @options = FFI::AutoPointer.new(Native.public_send(:"torii_#{kind}_options_new"),
                                      Native.method(:"torii_#{kind}_options_free"))
      @error = FFI::MemoryPointer.new(:pointer)
    end

    def text(name, value)
      raise TypeError, "#{name}: has to be a String, not #{value.class}" unless value.is_a?(String)

      check(set(name, value, value.bytesize, @error))
    end

    def optional_text(name, value)
      text(name, value) unless value.nil?
    end

    def number(name, value)
      check(set(name, value, @error)) unless value.nil?
    end

    def milliseconds(name, seconds)
      number(name, (seconds * 1000).round) unless seconds.nil?
    end

    # Where -1 would be the largest number of all.
    def size(name, value)
      return if value.nil?
      raise InvalidArgumentError.new("#{name}: negative", status: :invalid_argument) if value.negative?

      set(name, value)
    end

    # What cannot fail.
    def value(name, *values)
      set(name, *values) unless values.first.nil?
    end

    # @return [Handle] of what is made from the options
    def make(owner, subject, name)
      Native.text(subject, name)
      out = FFI::MemoryPointer.new(:pointer)
      check(Native.public_send(:"torii_#{@kind}_new", subject, subject.to_s.bytesize, @options, out, @error))
      Handle.new(owner, out.read_pointer, :"torii_#{@kind}_free")
    end

    private

    def set(name, *values) = Native.public_send(:"torii_#{@kind}_options_#{name}", @options, *values)

    def check(status) = Native.check(status, @error)
  end
end
