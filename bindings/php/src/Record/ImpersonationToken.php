<?php

declare(strict_types=1);

namespace Torii\Record;

/** A single-use token to sign in as another user. */
final readonly class ImpersonationToken
{
    /**
     * @param array<string, mixed> $raw all fields, those without a property too
     */
    public function __construct(
        public string $token,
        public int $expiresInSeconds,
        public ?string $url,
        public array $raw = [],
    ) {
    }

    /**
     * @param array<string, mixed> $raw
     * @internal
     */
    public static function from(array $raw): self
    {
        $fields = new Fields($raw, 'impersonation token');
        return new self(
            $fields->text('token'),
            $fields->number('expiresInSeconds'),
            $fields->optionalText('url'),
            $raw,
        );
    }
}
