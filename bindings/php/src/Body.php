<?php

declare(strict_types=1);

namespace Torii;

use DateTimeInterface;
use JsonException;
use Torii\Exception\InvalidArgumentException;

/**
 * Bodies of requests: fields as JSON. A value sets a field, null clears it; an absent field or
 * Field::Unset leaves it alone.
 *
 * @internal
 */
final class Body
{
    /** @param array<string, mixed> $fields */
    public static function json(array $fields): string
    {
        $members = [];
        foreach ($fields as $name => $value) {
            if ($value !== Field::Unset) {
                $value = self::value($name, $value);
                $members[] = self::encode($name, (string) $name) . ':' . self::encode($name, $value);
            }
        }
        return '{' . implode(',', $members) . '}';
    }

    /**
     * @param array<string, mixed> $fields
     * @return ?string null without fields
     */
    public static function filter(array $fields): ?string
    {
        $json = self::json($fields);
        return $json === '{}' ? null : $json;
    }

    private static function value(string|int $name, mixed $value): mixed
    {
        return match (true) {
            $value instanceof DateTimeInterface => $value->format('Y-m-d\TH:i:s.uP'),
            // An empty array would be sent as a list.
            is_array($value) && str_ends_with((string) $name, 'Metadata') => (object) $value,
            default => $value,
        };
    }

    private static function encode(string|int $name, mixed $value): string
    {
        try {
            return json_encode(
                $value,
                JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION
            );
        } catch (JsonException $e) {
            throw new InvalidArgumentException("$name not JSON: {$e->getMessage()}", previous: $e);
        }
    }
}
