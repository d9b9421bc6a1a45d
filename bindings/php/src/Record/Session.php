<?php

declare(strict_types=1);

namespace Torii\Record;

use DateTimeImmutable;

/** A session of a user. */
final readonly class Session
{
    /**
     * @param array<string, mixed> $raw all fields, those without a property too
     */
    public function __construct(
        public string $id,
        public string $userId,
        public string $environmentId,
        public ?string $userAgent,
        public ?string $ipAddress,
        public DateTimeImmutable $createdAt,
        public DateTimeImmutable $expiresAt,
        public DateTimeImmutable $lastUsedAt,
        public ?string $activeOrganizationId,
        public ?string $impersonatedBy,
        public array $raw = [],
    ) {
    }

    /**
     * @param array<string, mixed> $raw
     * @internal
     */
    public static function from(array $raw): self
    {
        $fields = new Fields($raw, 'session');
        return new self(
            $fields->text('id'),
            $fields->text('userId'),
            $fields->text('environmentId'),
            $fields->optionalText('userAgent'),
            $fields->optionalText('ipAddress'),
            $fields->time('createdAt'),
            $fields->time('expiresAt'),
            $fields->time('lastUsedAt'),
            $fields->optionalText('activeOrganizationId'),
            $fields->optionalText('impersonatedBy'),
            $raw,
        );
    }
}
