<?php

declare(strict_types=1);

namespace Torii\Tests;

use DateTimeImmutable;
use PHPUnit\Framework\TestCase;
use Torii\Auth;
use Torii\Exception\ToriiException;
use Torii\Requirement;
use Torii\Requirements;
use Torii\Verifier;
use Torii\Webhook;
use Torii\WebhookVerifier;

/** The results that every binding gives: tests/behaviour/verify.json. */
final class BehaviourTest extends TestCase
{
    public static function tearDownAfterClass(): void
    {
        printf("\nbehaviour: %d cases\n", count(self::corpus()['cases']));
        printf("behaviour: %d webhooks\n", count(self::corpus()['webhooks']));
    }

    /** @dataProvider cases */
    public function testCase(array $case): void
    {
        $requirements = self::requirements($case);
        $expected = $case['expect'];
        [$status, $auth] = self::outcome(static fn () => self::verify($case, self::verifier($case, $requirements)));
        self::assertSame($expected['status'], $status);
        foreach ($expected['auth'] ?? [] as $name => $value) {
            $property = lcfirst(str_replace('_', '', ucwords($name, '_')));
            self::assertTrue(self::text($value) === $auth->$property, "$name differs");
        }
        if ($requirements !== null) {
            [$status] = self::outcome(static fn () => self::verify($case, self::verifier($case, null), $requirements));
            self::assertSame($expected['status'], $status, 'requirements of the call');
        }
    }

    public static function cases(): iterable
    {
        foreach (self::corpus()['cases'] as $case) {
            yield $case['name'] => [$case];
        }
    }

    /** @dataProvider webhooks */
    public function testWebhook(array $case): void
    {
        [$status, $webhook] = self::outcome(static fn () => self::verifyWebhook($case));
        self::assertSame($case['expect']['status'], $status);
        if ($webhook !== null) {
            self::assertTrue(self::text($case['id']) === $webhook->id, 'id differs');
            self::assertSame($case['expect']['sent_at'], $webhook->sentAt->getTimestamp());
        }
    }

    public static function webhooks(): iterable
    {
        foreach (self::corpus()['webhooks'] as $case) {
            yield $case['name'] => [$case];
        }
    }

    private static function verifyWebhook(array $case): Webhook
    {
        $headers = [];
        foreach (['id', 'timestamp', 'signature'] as $name) {
            $headers["webhook-$name"] = self::text($case[$name]);
        }
        return (new WebhookVerifier($case['secrets'], $case['tolerance']))->verify(
            hex2bin($case['body_hex']),
            array_filter($headers, static fn ($value) => $value !== ''),
            new DateTimeImmutable("@{$case['now']}"),
        );
    }

    private static function verify(array $case, Verifier $verifier, ?Requirements $requirements = null): Auth
    {
        return isset($case['header'])
            ? $verifier->authenticate(self::text($case['header']), $requirements)
            : $verifier->verify(self::text($case['token']), $requirements);
    }

    /** @return array{string, mixed} the status, and the value of the call if it is TORII_OK */
    private static function outcome(callable $call): array
    {
        try {
            return ['TORII_OK', $call()];
        } catch (ToriiException $e) {
            return ['TORII_ERR_' . strtoupper($e->status), null];
        }
    }

    private static function verifier(array $case, ?Requirements $requirements): Verifier
    {
        $options = $case['options'];
        $issuers = array_column($options['issuers'] ?? [], 'key_set', 'issuer');
        return new Verifier(
            $options['issuer'],
            self::keys($case['key_set']),
            array_map(self::keys(...), $issuers),
            $options['audiences'] ?? [],
            $options['leeway'] ?? null,
            array_map(self::flag(...), $options['require'] ?? []),
            clock: isset($options['now']) ? static fn () => $options['now'] : null,
            ignoreAudience: $options['ignore_audience'] ?? null,
            maxLifetime: $options['max_lifetime_seconds'] ?? null,
            requirements: $requirements,
            legacyOrganization: $options['legacy_organization'] ?? null,
        );
    }

    private static function flag(string $name): Requirement
    {
        return constant(Requirement::class . '::' . str_replace('_', '', ucwords($name, '_')));
    }

    private static function requirements(array $case): ?Requirements
    {
        $description = $case['options']['requirements'] ?? null;
        if ($description === null) {
            return null;
        }
        $flags = $description['flags'] ?? 0;
        return new Requirements(
            array_filter(Requirement::cases(), static fn ($flag) => ($flags & $flag->value) !== 0),
            organizations: array_map(array_values(...), $description['organizations'] ?? []),
            claimsJson: array_column($description['claims'] ?? [], 'json', 'pointer'),
        );
    }

    private static function keys(string $name): string
    {
        return self::text(self::corpus()['key_sets'][$name]['jwks']);
    }

    /** A long text is given as pieces, each with how often it is repeated. */
    private static function text(mixed $value): mixed
    {
        return is_array($value)
            ? implode('', array_map(static fn ($piece) => str_repeat(...$piece), $value['repeat']))
            : $value;
    }

    private static function corpus(): array
    {
        static $corpus = null;
        return $corpus ??= json_decode(
            file_get_contents(__DIR__ . '/../../../tests/behaviour/verify.json'),
            true,
            flags: JSON_THROW_ON_ERROR,
        );
    }
}
