<?php

declare(strict_types=1);

namespace Torii;

use FFI\CData;

/**
 * Memory for one call: its error, and for a verification the record and its size.
 *
 * @internal
 */
final class Call
{
    /** Suffices for all but extraordinary tokens. */
    private const CAPACITY = 4096;

    /** TORII_RECORD_MAX, which suffices for every token. */
    public const MAX_CAPACITY = 32768;

    /**
     * Memory for the next call: allocating takes longer than verifying a known token, and PHP 8.2 loses memory
     * with every array that it allocates and reads a pointer from. A call sets this to null while it lasts, so
     * that a call of a signal handler or of a clock takes other memory.
     */
    public static ?self $idle = null;

    public CData $record;
    public readonly CData $size;
    public readonly CData $error;
    public int $capacity = self::CAPACITY;

    public function __construct()
    {
        $ffi = Library::ffi();
        // The record must be 8-byte aligned.
        $this->record = $ffi->new('uint64_t[' . self::CAPACITY / 8 . ']');
        $this->size = $ffi->new('size_t[1]');
        $this->error = $ffi->new('torii_error_t *[1]');
    }

    public function grow(): void
    {
        $this->capacity = self::MAX_CAPACITY;
        $this->record = Library::ffi()->new('uint64_t[' . self::MAX_CAPACITY / 8 . ']');
    }
}
