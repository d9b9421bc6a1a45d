<?php

declare(strict_types=1);

namespace Torii;

use Error;
use Torii\Exception\InternalException;

/**
 * The identity in a verified token: a plain value that outlives the verifier. Properties are decoded when
 * they are read. Tests can create one themselves.
 *
 * @property-read string $userId the user id: `sub`
 * @property-read string $environmentId the id of the user's environment: `pid`
 * @property-read string $issuer the configured issuer that signed the token, without trailing slashes
 * @property-read ?string $locale the user's preferred locale
 * @property-read ?string $organizationId the id of the active organization: `o`
 * @property-read ?string $organizationRole the user's role in the active organization. Anyone can create an
 *     organization and own it, so check the role together with the organization's id.
 * @property-read ?string $actorId the id of the party that acts as the user: `act` (RFC 8693). null does not
 *     mean that there is no such party: see $impersonating.
 * @property-read bool $emailVerified whether `email_verified` is true. torii stamps this claim only through
 *     the environment's default JWT template.
 * @property-read bool $profileComplete whether `profile_complete` is not false
 * @property-read bool $impersonating whether another party acts as the user: `impersonating` is true, or
 *     `act` is present
 * @property-read int $flags the sum of the TORII_REQUIRE_ flags that this login meets
 * @property-read int $issuedAt `iat`, in Unix seconds
 * @property-read int $expiresAt `exp`, in Unix seconds
 * @property-read string $claimsJson all claims exactly as signed: the payload of the token
 */
final class Auth
{
    /** The layout of torii_record_t: size, header_size, flags, reserved; times; spans of texts. */
    private const HEADER = 'L4q2L16';
    private const HEADER_SIZE = 96;

    /** Where the spans of texts are. */
    private const SPANS = [
        'userId' => 32,
        'environmentId' => 40,
        'issuer' => 48,
        'locale' => 56,
        'organizationId' => 64,
        'organizationRole' => 72,
        'actorId' => 80,
        'claimsJson' => 88,
    ];

    private static ?self $blank = null;

    /** The header_size of the last record: a library always writes the same. */
    private static ?string $headerSize = null;

    private string $record;

    /** Creates an identity without a token, for tests. The parameters are the properties. */
    public function __construct(
        string $userId,
        string $environmentId,
        string $issuer,
        ?string $locale = null,
        bool $emailVerified = false,
        bool $profileComplete = true,
        ?bool $impersonating = null,
        int $issuedAt = 0,
        int $expiresAt = 0,
        string $claimsJson = '{}',
        ?string $organizationId = null,
        ?string $organizationRole = null,
        ?string $actorId = null,
    ) {
        $flags = ($emailVerified ? Requirement::EmailVerified->value : 0)
            | ($profileComplete ? Requirement::ProfileComplete->value : 0)
            | (($impersonating ?? $actorId !== null) ? 0 : Requirement::NotImpersonated->value)
            | ($organizationId === null ? 0 : Requirement::Organization->value);
        $spans = [];
        $texts = '';
        foreach (self::SPANS as $name => $_) {
            $text = $$name;
            array_push($spans, $text === null ? 0 : self::HEADER_SIZE + strlen($texts), strlen($text ?? ''));
            $texts .= $text === null ? '' : "$text\0";
        }
        $size = self::HEADER_SIZE + strlen($texts);
        $header = pack(self::HEADER, $size, self::HEADER_SIZE, $flags, 0, $issuedAt, $expiresAt, ...$spans);
        $this->record = $header . $texts;
    }

    /**
     * @internal
     * @param string $record as the library wrote it
     */
    public static function read(string $record): self
    {
        if (strlen($record) < self::HEADER_SIZE || substr($record, 4, 4) !== self::$headerSize) {
            self::checkHeader($record);
        }
        // Cloning is the fastest way around the constructor.
        $auth = clone (self::$blank ??= new self('', '', ''));
        $auth->record = $record;
        return $auth;
    }

    /** Whether this login meets all of these. For claims and organizations, pass Requirements to verify(). */
    public function meets(Requirement ...$flags): bool
    {
        $required = array_reduce($flags, static fn (int $sum, Requirement $flag) => $sum | $flag->value, 0);
        return ($this->flags & $required) === $required;
    }

    /** @return array<string, mixed> all claims */
    public function claims(): array
    {
        return json_decode($this->claimsJson, true, flags: JSON_THROW_ON_ERROR);
    }

    public function __get(string $name): string|int|bool|null
    {
        $span = self::SPANS[$name] ?? null;
        if ($span === null) {
            return $this->value($name) ?? throw new Error('Undefined property: ' . self::class . "::\$$name");
        }
        // Offset 0 means absent. Every text is followed by NUL.
        [1 => $offset, 2 => $length] = unpack('L2', $this->record, $span);
        if ($offset === 0) {
            return null;
        }
        if ($offset < self::HEADER_SIZE || $offset + $length >= strlen($this->record)) {
            throw self::broken();
        }
        return substr($this->record, $offset, $length);
    }

    public function __isset(string $name): bool
    {
        return (isset(self::SPANS[$name]) ? $this->$name : $this->value($name)) !== null;
    }

    public function __set(string $name, mixed $value): void
    {
        throw new Error('Cannot modify ' . self::class . "::\$$name");
    }

    public function __unset(string $name): void
    {
        throw new Error('Cannot modify ' . self::class . "::\$$name");
    }

    /** @return array<string, mixed> for var_dump() */
    public function __debugInfo(): array
    {
        return ['userId' => $this->userId, 'environmentId' => $this->environmentId];
    }

    private static function checkHeader(string $record): void
    {
        if (strlen($record) < self::HEADER_SIZE || unpack('L', $record, 4)[1] < self::HEADER_SIZE) {
            throw self::broken();
        }
        self::$headerSize = substr($record, 4, 4);
    }

    private function value(string $name): int|bool|null
    {
        return match ($name) {
            'emailVerified' => $this->meets(Requirement::EmailVerified),
            'profileComplete' => $this->meets(Requirement::ProfileComplete),
            'impersonating' => !$this->meets(Requirement::NotImpersonated),
            'flags' => unpack('L', $this->record, 8)[1],
            'issuedAt' => unpack('q', $this->record, 16)[1],
            'expiresAt' => unpack('q', $this->record, 24)[1],
            default => null,
        };
    }

    private static function broken(): InternalException
    {
        return new InternalException('record: not one that this package can read', 'internal');
    }
}
