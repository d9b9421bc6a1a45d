<?php

declare(strict_types=1);

namespace Torii\Resource;

use Torii\Body;
use Torii\Exception\ToriiException;
use Torii\Operations;
use Torii\Record\Fields;

/** The origins from which browsers may call torii. */
final readonly class AllowedOrigins
{
    /** @internal */
    public function __construct(private Operations $operations)
    {
    }

    /**
     * Returns all origins.
     *
     * @return list<string>
     * @throws ToriiException
     */
    public function get(): array
    {
        return self::origins($this->operations->json('allowed_origins_get'));
    }

    /**
     * Replaces all origins.
     *
     * @param list<string> $origins
     * @return list<string>
     * @throws ToriiException
     */
    public function set(array $origins): array
    {
        return self::origins($this->operations->json('allowed_origins_set', Body::json(compact('origins'))));
    }

    /** @return list<string> */
    private static function origins(array $answer): array
    {
        return (new Fields($answer, 'answer'))->list('origins');
    }
}
