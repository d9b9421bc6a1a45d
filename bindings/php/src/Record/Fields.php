<?php

declare(strict_types=1);

namespace Torii\Record;

use DateTimeImmutable;
use Torii\Exception\ResponseException;

/**
 * Fields of an answer, read by type.
 *
 * @internal
 */
final readonly class Fields
{
    /** @param array<string, mixed> $fields */
    public function __construct(private array $fields, private string $what)
    {
    }

    public function text(string $name): string
    {
        return $this->optionalText($name) ?? $this->refuse($name);
    }

    public function optionalText(string $name): ?string
    {
        $value = $this->fields[$name] ?? null;
        return $value === null || is_string($value) ? $value : $this->refuse($name);
    }

    public function number(string $name): int
    {
        $value = $this->fields[$name] ?? null;
        return is_int($value) ? $value : $this->refuse($name);
    }

    public function time(string $name): DateTimeImmutable
    {
        return $this->optionalTime($name) ?? $this->refuse($name);
    }

    public function optionalTime(string $name): ?DateTimeImmutable
    {
        $text = $this->optionalText($name);
        try {
            return $text === null ? null : new DateTimeImmutable($text);
        } catch (\Exception) {
            $this->refuse($name);
        }
    }

    /** @return array<string, mixed> */
    public function map(string $name): array
    {
        return $this->optionalMap($name) ?? $this->refuse($name);
    }

    /** @return ?array<string, mixed> */
    public function optionalMap(string $name): ?array
    {
        $value = $this->fields[$name] ?? null;
        return $value === null || is_array($value) ? $value : $this->refuse($name);
    }

    /** @return list<mixed> */
    public function list(string $name): array
    {
        return $this->map($name);
    }

    private function refuse(string $name): never
    {
        throw new ResponseException("the $this->what has no $name of the type it should have", 'response');
    }
}
