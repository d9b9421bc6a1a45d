<?php

declare(strict_types=1);

namespace Torii\Record;

use DateTimeImmutable;

/** A user of the environment. */
final readonly class User
{
    /**
     * @param array<string, mixed> $publicMetadata
     * @param array<string, mixed> $privateMetadata
     * @param array<string, mixed> $unsafeMetadata
     * @param array<string, mixed> $raw all fields, those without a property too
     */
    public function __construct(
        public string $id,
        public string $environmentId,
        public string $status,
        public ?string $email,
        public ?DateTimeImmutable $emailVerifiedAt,
        public ?string $name,
        public ?string $firstName,
        public ?string $lastName,
        public ?string $locale,
        public DateTimeImmutable $createdAt,
        public DateTimeImmutable $updatedAt,
        public ?DateTimeImmutable $deletedAt,
        public array $publicMetadata,
        public array $privateMetadata,
        public array $unsafeMetadata,
        public array $raw = [],
    ) {
    }

    /**
     * @param array<string, mixed> $raw
     * @internal
     */
    public static function from(array $raw): self
    {
        $fields = new Fields($raw, 'user');
        return new self(
            $fields->text('id'),
            $fields->text('environmentId'),
            $fields->text('status'),
            $fields->optionalText('email'),
            $fields->optionalTime('emailVerifiedAt'),
            $fields->optionalText('name'),
            $fields->optionalText('firstName'),
            $fields->optionalText('lastName'),
            $fields->optionalText('locale'),
            $fields->time('createdAt'),
            $fields->time('updatedAt'),
            $fields->optionalTime('deletedAt'),
            $fields->map('publicMetadata'),
            $fields->map('privateMetadata'),
            $fields->map('unsafeMetadata'),
            $raw,
        );
    }
}
