<?php

declare(strict_types=1);

namespace Torii;

use FFI\CData;

/**
 * Owns a handle of the library. Whoever uses the pointer holds the Handle meanwhile, so it is freed
 * once, and never under a call.
 *
 * @internal
 */
final class Handle
{
    public function __construct(public readonly CData $pointer, private readonly string $free)
    {
    }

    public function __destruct()
    {
        Library::ffi()->{$this->free}($this->pointer);
    }

    private function __clone()
    {
    }
}
