# frozen_string_literal: true

module Torii
  # Memory for one call: its output, its error and, for a verification, its record.
  # @api private
  class Call
    # The capacity for all but extraordinary tokens.
    CAPACITY = 4096
    # TORII_RECORD_MAX, which suffices for every token.
    MAX_CAPACITY = 32_768

    attr_reader :out, :error, :capacity

    def initialize
      @out = FFI::MemoryPointer.new(:pointer, 2)
      @error = @out + FFI::Pointer.size
      @capacity = CAPACITY
    end

    def record = @record ||= FFI::MemoryPointer.new(:uint64, @capacity / 8)

    def grow
      @capacity = MAX_CAPACITY
      @record = nil
    end
  end

  # Owns a handle of the library and frees it once, never during a call that uses it. {#close} frees it
  # at once or, while other threads use it, at the end of the last call. Otherwise the garbage collector
  # frees it.
  # @api private
  class Handle
    # @param owner [Class] the class to name in a {ClosedError}
    # @param pointer [FFI::Pointer]
    # @param free [Symbol] the function of {Native} that frees it
    def initialize(owner, pointer, free)
      @owner = owner
      @pointer = FFI::AutoPointer.new(pointer, Native.method(free))
      @idle = Queue.new # allocating a call takes longer than verifying a known token
      @lock = Mutex.new
      @created = 0
      @closed = false
    end

    # Begins a call: {#pointer} stays valid until {#leave}.
    # @return [Call] that no other thread, fiber, signal handler or nested call uses
    # @raise [ClosedError]
    def enter
      call = idle_or_new
      return call unless @closed

      leave(call)
      raise ClosedError, @owner
    end

    def leave(call)
      @idle << call
      free_if_idle if @closed
    end

    attr_reader :pointer

    # Lends a block the pointer, and a {Call}.
    # @raise [ClosedError]
    def use
      call = enter
      begin
        yield @pointer, call
      ensure
        leave(call)
      end
    end

    def close
      @closed = true
      free_if_idle
    end

    def closed? = @closed

    private

    def idle_or_new
      @idle.pop(true)
    rescue ThreadError # none is idle
      @lock.synchronize { @created += 1 }
      Call.new
    end

    def free_if_idle
      @lock.synchronize do
        next unless @pointer && @idle.size == @created

        @pointer.free
        @pointer = nil
      end
      nil
    end
  end
end
