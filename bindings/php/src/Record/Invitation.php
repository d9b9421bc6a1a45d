<?php

declare(strict_types=1);

namespace Torii\Record;

use DateTimeImmutable;

/** An invitation by email. Only a single invitation has metadata, not those of a list. */
final readonly class Invitation
{
    /**
     * @param ?array<string, mixed> $publicMetadata
     * @param ?array<string, mixed> $privateMetadata
     * @param array<string, mixed> $raw all fields, those without a property too
     */
    public function __construct(
        public string $id,
        public string $environmentId,
        public string $email,
        public string $status,
        public DateTimeImmutable $expiresAt,
        public DateTimeImmutable $createdAt,
        public ?DateTimeImmutable $acceptedAt,
        public ?DateTimeImmutable $revokedAt,
        public ?array $publicMetadata,
        public ?array $privateMetadata,
        public array $raw = [],
    ) {
    }

    /**
     * @param array<string, mixed> $raw
     * @internal
     */
    public static function from(array $raw): self
    {
        $fields = new Fields($raw, 'invitation');
        return new self(
            $fields->text('id'),
            $fields->text('environmentId'),
            $fields->text('email'),
            $fields->text('status'),
            $fields->time('expiresAt'),
            $fields->time('createdAt'),
            $fields->optionalTime('acceptedAt'),
            $fields->optionalTime('revokedAt'),
            $fields->optionalMap('publicMetadata'),
            $fields->optionalMap('privateMetadata'),
            $raw,
        );
    }
}
