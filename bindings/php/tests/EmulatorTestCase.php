<?php

declare(strict_types=1);

namespace Torii\Tests;

use PHPUnit\Framework\TestCase;
use Torii\Client;
use Torii\Verifier;

/** A test against the local torii, which is reset first. */
abstract class EmulatorTestCase extends TestCase
{
    protected const USER = '01975f2e-6c00-7a3b-8c4d-5e6f708192a3';

    protected string $issuer;

    protected function setUp(): void
    {
        Verifier::clearKeys();
        Emulator::call('POST', '/reset');
        $this->issuer = Emulator::info()['issuer'];
    }

    /** @param array<string, mixed> $claims */
    protected function token(array $claims = [], int $expiresIn = 300): string
    {
        $request = ['claims' => (object) $claims, 'expires_in' => $expiresIn];
        return Emulator::call('POST', '/issuers/acme/tokens', $request)['token'];
    }

    /** @return list<array<string, mixed>> */
    protected function requests(string $path): array
    {
        return Emulator::call('GET', "/requests?path=$path")['requests'];
    }

    /** @param array<string, mixed> $fault */
    protected function fault(string $path, array $fault): void
    {
        Emulator::call('POST', '/faults', ['path' => $path, 'fault' => $fault]);
    }

    protected function client(mixed ...$options): Client
    {
        return new Client(Emulator::info()['secret_key'], Emulator::info()['url'], ...$options);
    }

    /**
     * @template T of \Throwable
     * @param class-string<T> $class
     * @return T
     */
    protected static function thrown(string $class, callable $call): \Throwable
    {
        try {
            $call();
        } catch (\Throwable $e) {
            self::assertInstanceOf($class, $e, $e->getMessage());
            return $e;
        }
        self::fail("no $class");
    }
}
