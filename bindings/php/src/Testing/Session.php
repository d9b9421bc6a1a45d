<?php

declare(strict_types=1);

namespace Torii\Testing;

/** A signed-in user. */
final class Session
{
    /**
     * @param string $id of the session
     * @param string $token for it
     */
    public function __construct(
        public readonly string $id,
        #[\SensitiveParameter] public readonly string $token,
    ) {
    }
}
