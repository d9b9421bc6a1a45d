<?php

declare(strict_types=1);

namespace Torii;

use FFI\CData;
use JsonException;
use Torii\Exception\InvalidArgumentException;

/**
 * Conditions that a valid token must also meet, for a verifier, a route or one call. All must
 * hold; of several organizations, any one.
 *
 *     new Requirements([Requirement::EmailVerified], ['/plan' => 'pro'], [['org-1', 'admin'], 'org-2'])
 */
final readonly class Requirements
{
    private Handle $handle;

    /**
     * @param list<Requirement> $flags
     * @param array<string, string|int|float|bool> $claims values by JSON pointer (RFC 6901): the claim
     *     equals the value, or is an array that contains it
     * @param list<string|array{string, string}> $organizations ids, or ids with the role to require
     * @param array<string, string> $claimsJson as $claims, with the values as JSON text: for numbers that
     *     PHP would round
     * @throws InvalidArgumentException
     */
    public function __construct(
        array $flags = [],
        array $claims = [],
        array $organizations = [],
        array $claimsJson = [],
    ) {
        $this->handle = new Handle(Library::ffi()->torii_requirements_new(), 'torii_requirements_free');
        array_map(fn (Requirement $flag) => $this->add('flags', $flag->value), $flags);
        foreach ($claims as $pointer => $value) {
            $this->addClaim((string) $pointer, self::json((string) $pointer, $value));
        }
        array_map($this->addClaim(...), array_map(strval(...), array_keys($claimsJson)), $claimsJson);
        if (!array_is_list($organizations)) {
            // With ids as keys PHP would turn '1' into 1.
            throw new InvalidArgumentException("organizations: not a list (expected [['org-1', 'admin'], 'org-2'])");
        }
        foreach ($organizations as $organization) {
            $this->addOrganization(...(array) $organization);
        }
    }

    /** @internal valid as long as this object */
    public function pointer(): CData
    {
        return $this->handle->pointer;
    }

    private function addClaim(string $pointer, string $json): void
    {
        $this->add('claim', $pointer, strlen($pointer), $json, strlen($json));
    }

    private function addOrganization(string $id, ?string $role = null): void
    {
        $this->add('organization', $id, strlen($id), $role, strlen($role ?? ''));
    }

    private function add(string $what, mixed ...$values): void
    {
        $function = "torii_requirements_add_$what";
        Library::check(Library::ffi()->$function($this->handle->pointer, ...[...$values, Library::error()]));
    }

    private static function json(string $pointer, string|int|float|bool $value): string
    {
        try {
            return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        } catch (JsonException $e) {
            throw new InvalidArgumentException("$pointer: not JSON: {$e->getMessage()}", previous: $e);
        }
    }
}
