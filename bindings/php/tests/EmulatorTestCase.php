<?php

declare(strict_types=1);

namespace Torii\Tests;

use PHPUnit\Framework\TestCase;
use Torii\Client;
use Torii\Testing\LocalTorii;

/** A test against the local torii, which is reset first. */
abstract class EmulatorTestCase extends TestCase
{
    protected const USER = '01975f2e-6c00-7a3b-8c4d-5e6f708192a3';

    protected LocalTorii $torii;
    protected string $issuer;

    protected function setUp(): void
    {
        $this->torii = self::torii();
        $this->torii->reset();
        $this->issuer = $this->torii->issuer;
    }

    /** One for the whole run. */
    public static function torii(): LocalTorii
    {
        static $torii = null;
        return $torii ??= new LocalTorii();
    }

    /** @param array<string, mixed> $claims */
    protected function token(array $claims = [], int $expiresIn = 300): string
    {
        return $this->torii->token($claims, expires_in: $expiresIn);
    }

    protected function client(mixed ...$options): Client
    {
        return $this->torii->client(...$options);
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
