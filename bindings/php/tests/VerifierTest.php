<?php

declare(strict_types=1);

namespace Torii\Tests;

use Torii\Exception\ClosedException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Requirement;
use Torii\Verifier;

/** Against the local torii. */
final class VerifierTest extends EmulatorTestCase
{
    public function testVerifyFetchesTheKeysOnce(): void
    {
        $verifier = new Verifier($this->issuer);
        $auth = $verifier->verify($this->token(['sub' => self::USER, 'email_verified' => true, 'locale' => 'de']));
        self::assertSame(
            [self::USER, Emulator::info()['environment_id'], $this->issuer, 'de', true, true, false, 300],
            [$auth->userId, $auth->environmentId, $auth->issuer, $auth->locale, $auth->emailVerified,
                $auth->profileComplete, $auth->impersonating, $auth->expiresAt - $auth->issuedAt],
        );
        self::assertSame(self::USER, $auth->claims()['sub']);
        $verifier->verify($this->token());
        self::assertCount(1, $this->requests('/acme/'));
    }

    public function testAuthenticate(): void
    {
        $verifier = new Verifier($this->issuer);
        self::assertSame(self::USER, $verifier->authenticate('bearer ' . $this->token(['sub' => self::USER]))->userId);
        foreach (['' => 'token_missing', 'Basic abc' => 'token_scheme'] as $header => $status) {
            $e = self::thrown(TokenException::class, static fn () => $verifier->authenticate($header));
            self::assertSame($status, $e->status);
        }
    }

    public function testRotation(): void
    {
        $verifier = new Verifier($this->issuer);
        $verifier->verify($this->token());
        Emulator::call('POST', '/issuers/acme/keys');
        self::assertSame(self::USER, $verifier->verify($this->token(['sub' => self::USER]))->userId);
    }

    public function testErrorsByClass(): void
    {
        $verifier = new Verifier($this->issuer, require: [Requirement::EmailVerified, Requirement::NotImpersonated]);
        $expired = $this->token(expiresIn: -60);
        $e = self::thrown(TokenException::class, static fn () => $verifier->verify($expired));
        self::assertSame(['token_expired', 401, null], [$e->status, $e->answerStatus, $e->httpStatus]);
        self::assertStringNotContainsString($expired, (string) $e);
        $unverified = $this->token(['email_verified' => false]);
        $e = self::thrown(PolicyException::class, static fn () => $verifier->verify($unverified));
        self::assertSame(['policy', 403], [$e->status, $e->answerStatus]);
    }

    public function testKeysDown(): void
    {
        $verifier = new Verifier($this->issuer);
        $token = $this->token();
        $this->fault('/acme/', ['kind' => 'status', 'status' => 503]);
        $e = self::thrown(KeysUnavailableException::class, static fn () => $verifier->verify($token));
        self::assertSame(['keys_unavailable', 503], [$e->status, $e->answerStatus]);
        self::thrown(KeysUnavailableException::class, static fn () => $verifier->refresh());
    }

    public function testRefreshAndStats(): void
    {
        $verifier = new Verifier($this->issuer);
        $verifier->refresh();
        $verifier->verify($this->token());
        $stats = $verifier->stats();
        self::assertSame([1, 1, 1], [$stats['accepted'], $stats['cached_tokens'], $stats['issuers'][0]['keys']]);
        self::assertCount(1, $this->requests('/acme/'));
    }

    public function testFurtherIssuers(): void
    {
        $other = Emulator::call('POST', '/issuers', ['name' => 'other'])['issuer'];
        $token = Emulator::call('POST', '/issuers/other/tokens')['token'];
        self::assertSame($other, (new Verifier($this->issuer, issuers: [$other]))->verify($token)->issuer);
        $e = self::thrown(TokenException::class, fn () => (new Verifier($this->issuer))->verify($token));
        self::assertSame('token_issuer', $e->status);
    }

    public function testClock(): void
    {
        $late = new Verifier($this->issuer, clock: static fn () => time() + 3600);
        $token = $this->token();
        self::assertSame(
            'token_expired',
            self::thrown(TokenException::class, static fn () => $late->verify($token))->status,
        );
        $broken = new Verifier($this->issuer, clock: static fn () => throw new \LogicException('no clock'));
        for ($i = 0; $i < 2; $i++) {
            self::thrown(\LogicException::class, static fn () => $broken->verify($token));
        }
    }

    /** @dataProvider wrongOptions */
    public function testWrongOptionsAreNamed(string $name, mixed $value, string $message): void
    {
        $make = fn () => new Verifier(...['issuer' => $this->issuer, $name => $value]);
        self::assertStringContainsString($message, self::thrown(InvalidArgumentException::class, $make)->getMessage());
    }

    public static function wrongOptions(): iterable
    {
        yield ['leeway', 301, 'leeway'];
        yield ['leeway', 2 ** 32 + 30, 'leeway'];
        yield ['keyLifetime', 0, 'key lifetime'];
        yield ['maxStale', -1, 'max stale'];
        yield ['fetchTimeout', 0.01, 'fetch timeout'];
        yield ['tokenCacheBytes', -1, 'token cache bytes'];
        yield ['maxLifetime', -1, 'max lifetime'];
        yield ['proxy', 'nowhere', 'proxy'];
        yield ['realm', '"', 'realm'];
        yield ['resourceMetadata', '"', 'resource_metadata'];
        yield ['caFile', '/no/such/file', '/no/such/file'];
        yield ['jwks', '{}', 'jwks'];
        yield ['audiences', [''], 'audience'];
        yield ['issuers', ['nowhere' => null], 'issuer'];
    }

    public function testWhatIsNoOptionIsNotLeftOut(): void
    {
        foreach (['audiences' => [null], 'issuers' => [null], 'require' => ['email_verified']] as $name => $value) {
            self::thrown(\TypeError::class, fn () => new Verifier(...['issuer' => $this->issuer, $name => $value]));
        }
    }

    public function testUseAfterClose(): void
    {
        $verifier = new Verifier($this->issuer);
        $verifier->close();
        $verifier->close();
        foreach (['verify', 'authenticate', 'refresh', 'stats'] as $method) {
            $e = self::thrown(ClosedException::class, static fn () => $verifier->$method('x'));
            self::assertSame('Torii\Verifier is closed', $e->getMessage());
        }
    }

    public function testCloseDuringACall(): void
    {
        $verifier = new Verifier($this->issuer, clock: static function () use (&$verifier) {
            $verifier->close();
            return time();
        });
        self::assertSame(self::USER, $verifier->verify($this->token(['sub' => self::USER]))->userId);
        self::thrown(ClosedException::class, static fn () => $verifier->verify('x'));
    }

    public function testACopyOutlivesTheOriginal(): void
    {
        $verifier = new Verifier($this->issuer);
        self::thrown(\Exception::class, static fn () => serialize($verifier));
        $copy = clone $verifier;
        $verifier->close();
        self::assertSame(self::USER, $copy->verify($this->token(['sub' => self::USER]))->userId);
    }

    public function testFork(): void
    {
        $verifier = new Verifier($this->issuer);
        $client = $this->client();
        $token = $this->token(['sub' => self::USER]);
        $verifier->verify($token);
        $client->allowedOrigins->get();
        $pid = pcntl_fork();
        if ($pid === 0) {
            Emulator::call('POST', '/issuers/acme/keys');
            $new = $this->token(['sub' => self::USER]);
            $good = $verifier->verify($token)->userId === self::USER && $verifier->verify($new)->userId === self::USER
                && $client->allowedOrigins->get() === [];
            // Neither PHPUnit's end nor any destructor is for the child.
            posix_kill(getmypid(), $good ? SIGUSR1 : SIGUSR2);
        }
        pcntl_waitpid($pid, $status);
        self::assertSame(SIGUSR1, pcntl_wtermsig($status));
        self::assertSame(self::USER, $verifier->verify($token)->userId);
        self::assertSame([], $client->allowedOrigins->get());
    }
}
