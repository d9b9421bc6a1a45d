# frozen_string_literal: true

module Torii
  # Owns a handle of the library: freed once, never under a call that uses it. Closing frees at once
  # or, while calls are under way on other threads, with the last of them; the garbage collector does
  # it for what is never closed.
  # @api private
  class Handle
    # Where a function puts what it makes, and its error.
    class Outputs
      attr_reader :out, :error

      def initialize
        @out = FFI::MemoryPointer.new(:pointer, 2)
        @error = @out + FFI::Pointer.size
      end
    end

    # @param owner [Class] what to name when it is used after it was closed
    # @param pointer [FFI::Pointer]
    # @param free [Symbol] the function of {Native} that frees it
    def initialize(owner, pointer, free)
      @owner = owner
      @pointer = FFI::AutoPointer.new(pointer, Native.method(free))
      @lock = Mutex.new
      @calls = 0
      @idle = [] # outputs for the next calls, since making them takes longer than a verdict
      @closed = false
    end

    # Lends the pointer to a block, and outputs that are its alone.
    # @raise [ClosedError]
    def use
      outputs = @lock.synchronize do
        raise ClosedError, @owner if @closed

        @calls += 1
        @idle.pop
      end || Outputs.new
      begin
        yield @pointer, outputs.out, outputs.error
      ensure
        @lock.synchronize do
          @idle << outputs
          @pointer.free if (@calls -= 1).zero? && @closed
        end
      end
    end

    def close
      @lock.synchronize do
        @pointer.free if @calls.zero? && !@closed
        @closed = true
      end
      nil
    end

    def closed? = @closed
  end
end
