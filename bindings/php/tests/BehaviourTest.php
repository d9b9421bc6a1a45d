<?php

declare(strict_types=1);

namespace Torii\Tests;

use DateTimeImmutable;
use PHPUnit\Framework\TestCase;
use Torii\Auth;
use Torii\Exception\ToriiException;
use Torii\Requirement;
use Torii\Verifier;
use Torii\Webhook;

/** The verdicts every binding must give. */
final class BehaviourTest extends TestCase
{
    private const REQUIREMENTS = [
        'email_verified' => Requirement::EmailVerified,
        'profile_complete' => Requirement::ProfileComplete,
        'not_impersonated' => Requirement::NotImpersonated,
    ];

    public static function tearDownAfterClass(): void
    {
        printf("\nbehaviour: %d cases\n", count(self::corpus()['cases']));
        printf("behaviour: %d webhooks\n", count(self::corpus()['webhooks']));
    }

    /** @dataProvider cases */
    public function testCase(array $case): void
    {
        [$status, $auth] = self::verdict($case);
        self::assertSame($case['expect']['status'], $status);
        foreach ($case['expect']['auth'] ?? [] as $name => $expected) {
            $property = lcfirst(str_replace('_', '', ucwords($name, '_')));
            self::assertTrue(self::text($expected) === $auth->$property, "$name is another");
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
        [$status, $webhook] = self::webhookVerdict($case);
        self::assertSame($case['expect']['status'], $status);
        if ($webhook !== null) {
            self::assertTrue(self::text($case['id']) === $webhook->id, 'id is another');
            self::assertSame($case['expect']['sent_at'], $webhook->sentAt->getTimestamp());
            self::assertSame($case['expect']['secret_index'], $webhook->secretIndex);
        }
    }

    public static function webhooks(): iterable
    {
        foreach (self::corpus()['webhooks'] as $case) {
            yield $case['name'] => [$case];
        }
    }

    /** @return array{string, ?Webhook} */
    private static function webhookVerdict(array $case): array
    {
        $headers = [];
        foreach (['id', 'timestamp', 'signature'] as $name) {
            $headers["webhook-$name"] = self::text($case[$name]);
        }
        $now = new DateTimeImmutable("@{$case['now']}");
        try {
            return ['TORII_OK', Webhook::verify(
                hex2bin($case['body_hex']),
                array_filter($headers, static fn ($value) => $value !== ''),
                $case['secrets'],
                $case['tolerance'],
                $now,
            )];
        } catch (ToriiException $e) {
            return ['TORII_ERR_' . strtoupper($e->status), null];
        }
    }

    /** @return array{string, ?Auth} */
    private static function verdict(array $case): array
    {
        $verifier = self::verifier($case);
        try {
            return ['TORII_OK', isset($case['header'])
                ? $verifier->authenticate(self::text($case['header']))
                : $verifier->verify(self::text($case['token']))];
        } catch (ToriiException $e) {
            return ['TORII_ERR_' . strtoupper($e->status), null];
        }
    }

    private static function verifier(array $case): Verifier
    {
        $options = $case['options'];
        $issuers = array_column($options['issuers'] ?? [], 'key_set', 'issuer');
        return new Verifier(
            $options['issuer'],
            self::keys($case['key_set']),
            array_map(self::keys(...), $issuers),
            $options['audiences'] ?? [],
            $options['leeway'] ?? null,
            array_map(static fn ($name) => self::REQUIREMENTS[$name], $options['require'] ?? []),
            clock: isset($options['now']) ? static fn () => $options['now'] : null,
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
