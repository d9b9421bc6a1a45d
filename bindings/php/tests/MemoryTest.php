<?php

declare(strict_types=1);

namespace Torii\Tests;

use Torii\Exception\ApiException;
use Torii\Exception\TokenException;
use Torii\Exception\WebhookException;
use Torii\Requirement;
use Torii\Requirements;
use Torii\Verifier;
use Torii\WebhookVerifier;

/** Everything that the library allocates is freed. */
final class MemoryTest extends EmulatorTestCase
{
    public function testVerifications(): void
    {
        $verifier = new Verifier($this->issuer);
        $token = $this->token();
        self::assertFlat(10_000, 100_000, static function () use ($verifier, $token): void {
            $verifier->verify($token);
            try {
                $verifier->verify('invalid');
            } catch (TokenException) {
            }
        });
    }

    public function testCalls(): void
    {
        $client = $this->client();
        self::assertFlat(200, 1000, static fn () => $client->allowedOrigins->get());
        self::assertFlat(50, 200, static function () use ($client): void {
            try {
                $client->users->get(self::USER);
            } catch (ApiException) {
            }
        });
    }

    public function testVerifiers(): void
    {
        self::assertFlat(1000, 10_000, fn () => new Verifier($this->issuer, audiences: ['a']));
        self::assertFlat(1000, 10_000, static fn () => new WebhookVerifier([Sender::SECRET, Sender::OTHER]));
        $flags = [Requirement::EmailVerified];
        self::assertFlat(1000, 10_000, static fn () => new Requirements($flags, ['/a' => 1], ['b']));
        $verifier = new Verifier($this->issuer);
        self::assertFlat(1000, 10_000, static fn () => $verifier->stats());
    }

    public function testWebhooks(): void
    {
        $headers = Sender::sign('{}');
        $webhooks = new WebhookVerifier(Sender::SECRET);
        self::assertFlat(1000, 20_000, static function () use ($headers, $webhooks): void {
            $webhooks->verify('{}', $headers);
            try {
                $webhooks->verify('', $headers);
            } catch (WebhookException) {
            }
        });
    }

    private static function assertFlat(int $warmUp, int $times, callable $call): void
    {
        for ($i = 0; $i < $warmUp; $i++) {
            $call();
        }
        // First, since reading it leaves compiled patterns behind.
        $resident = self::resident();
        $before = memory_get_usage();
        for ($i = 0; $i < $times; $i++) {
            $call();
        }
        self::assertLessThan(4096, memory_get_usage() - $before, 'bytes of growth in PHP');
        self::assertLessThan(1536, self::resident() - $resident, 'KiB of growth in all');
    }

    private static function resident(): int
    {
        preg_match('/^VmRSS:\s+(\d+)/m', file_get_contents('/proc/self/status'), $match);
        return (int) $match[1];
    }
}
