<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The verifier, client or webhook verifier was closed. */
final class ClosedException extends InvalidArgumentException
{
    /** @internal */
    public function __construct(string $class)
    {
        parent::__construct("$class is closed");
    }
}
