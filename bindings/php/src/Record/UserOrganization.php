<?php

declare(strict_types=1);

namespace Torii\Record;

use DateTimeImmutable;

/** An organization of a user; with the metadata of the membership. */
final readonly class UserOrganization
{
    /**
     * @param array<string, mixed> $publicMetadata
     * @param array<string, mixed> $privateMetadata
     * @param array<string, mixed> $raw all fields, those without a property too
     */
    public function __construct(
        public string $organizationId,
        public string $name,
        public ?string $slug,
        public string $role,
        public ?string $roleName,
        public array $publicMetadata,
        public array $privateMetadata,
        public DateTimeImmutable $joinedAt,
        public array $raw = [],
    ) {
    }

    /**
     * @param array<string, mixed> $raw
     * @internal
     */
    public static function from(array $raw): self
    {
        $fields = new Fields($raw, 'user organization');
        return new self(
            $fields->text('organizationId'),
            $fields->text('name'),
            $fields->optionalText('slug'),
            $fields->text('role'),
            $fields->optionalText('roleName'),
            $fields->map('publicMetadata'),
            $fields->map('privateMetadata'),
            $fields->time('joinedAt'),
            $raw,
        );
    }
}
