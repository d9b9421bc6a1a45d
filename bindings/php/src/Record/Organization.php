<?php

declare(strict_types=1);

namespace Torii\Record;

use DateTimeImmutable;

/** An organization of the environment. */
final readonly class Organization
{
    /**
     * @param array<string, mixed> $publicMetadata
     * @param array<string, mixed> $privateMetadata
     * @param array<string, mixed> $raw all fields, those without a property too
     */
    public function __construct(
        public string $id,
        public string $name,
        public ?string $slug,
        public ?string $roleSetId,
        public array $publicMetadata,
        public array $privateMetadata,
        public DateTimeImmutable $createdAt,
        public array $raw = [],
    ) {
    }

    /**
     * @param array<string, mixed> $raw
     * @internal
     */
    public static function from(array $raw): self
    {
        $fields = new Fields($raw, 'organization');
        return new self(
            $fields->text('id'),
            $fields->text('name'),
            $fields->optionalText('slug'),
            $fields->optionalText('roleSetId'),
            $fields->map('publicMetadata'),
            $fields->map('privateMetadata'),
            $fields->time('createdAt'),
            $raw,
        );
    }
}
