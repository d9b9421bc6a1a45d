<?php

declare(strict_types=1);

namespace Torii;

use FFI\CData;

/**
 * Owns a handle of the library and frees it once. Keep the Handle while you use its pointer, so that it is
 * not freed during a call.
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
