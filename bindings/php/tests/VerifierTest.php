<?php

declare(strict_types=1);

namespace Torii\Tests;

use Torii\Auth;
use Torii\Client;
use Torii\Exception\ClosedException;
use Torii\Exception\InternalException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\InvalidConfigException;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Exception\TransportException;
use Torii\Requirement;
use Torii\Requirements;
use Torii\Verifier;

/** Against the local torii. */
final class VerifierTest extends EmulatorTestCase
{
    public function testTheNextProcessHasTheCachedKeys(): void
    {
        $folder = sys_get_temp_dir() . '/torii-keys-' . getmypid();
        $first = $this->torii->verifier(keyCacheDir: $folder);
        $token = $this->token(['sub' => self::USER]);
        $first->verify($token);
        $written = static fn () => $first->stats()['issuers'][0]['key_cache_dir']['written'] > 0;
        for ($deadline = time() + 120; !$written(); usleep(10_000)) {
            self::assertLessThan($deadline, time());
        }
        $this->torii->failKeys();
        $start = function (?string $folder) use ($token): string {
            $program = sprintf(
                'require %s; echo (new Torii\Verifier(%s, keyCacheDir: %s))->verify(%s)->userId;',
                ...array_map(
                    static fn ($value) => var_export($value, true),
                    [__DIR__ . '/bootstrap.php', $this->issuer, $folder, $token],
                ),
            );
            $command = [PHP_BINARY, '-d', 'ffi.enable=true', '-r', $program];
            return (string) shell_exec(implode(' ', array_map(escapeshellarg(...), $command)) . ' 2>&1');
        };
        try {
            self::assertStringContainsString('KeysUnavailableException', $start(null));
            self::assertSame(self::USER, $start($folder));
        } finally {
            array_map(unlink(...), glob("$folder/{,.}[!.]*", GLOB_BRACE));
            rmdir($folder);
        }
    }

    public function testVerifyFetchesTheKeysOnce(): void
    {
        $verifier = new Verifier($this->issuer);
        $auth = $verifier->verify($this->token(['sub' => self::USER, 'email_verified' => true, 'locale' => 'de']));
        self::assertSame(
            [self::USER, $this->torii->id, $this->issuer, 'de', true, true, false, 300],
            [$auth->userId, $auth->environmentId, $auth->issuer, $auth->locale, $auth->emailVerified,
                $auth->profileComplete, $auth->impersonating, $auth->expiresAt - $auth->issuedAt],
        );
        self::assertSame(self::USER, $auth->claims()['sub']);
        $verifier->verify($this->token());
        self::assertCount(1, $this->torii->requests('/acme/'));
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
        $this->torii->control('POST', '/issuers/acme/keys');
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
        $this->torii->fault('/acme/', ['kind' => 'status', 'status' => 503]);
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
        self::assertCount(1, $this->torii->requests('/acme/'));
    }

    public function testFieldsOfAResult(): void
    {
        $claims = ['sub' => self::USER, 'act' => ['sub' => 'support'], 'o' => ['id' => 'org-1', 'rol' => 'admin']];
        $verifier = new Verifier($this->issuer);
        $auth = $verifier->verify($this->token($claims));
        $verifier->close();
        self::assertSame(
            ['support', 'org-1', 'admin', null, true],
            [$auth->actorId, $auth->organizationId, $auth->organizationRole, $auth->locale, $auth->impersonating],
        );
        self::assertTrue($auth->meets(Requirement::Organization, Requirement::ProfileComplete));
        self::assertFalse($auth->meets(Requirement::Organization, Requirement::NotImpersonated));
        self::assertSame([true, false, true, false], [
            isset($auth->userId), isset($auth->locale), isset($auth->expiresAt), isset($auth->anything),
        ]);
        self::assertSame('none', $auth->locale ?? 'none');
        $changes = [
            static fn () => $auth->anything,
            static function () use ($auth): void {
                $auth->userId = 'mallory';
            },
            static function () use ($auth): void {
                unset($auth->userId);
            },
        ];
        foreach ($changes as $change) {
            self::thrown(\Error::class, $change);
        }
        self::assertSame(self::USER, $auth->userId);
    }

    public function testAResultMadeByATest(): void
    {
        $auth = new Auth('ada', '', 'https://a.example', actorId: 'x', emailVerified: true, issuedAt: 1, expiresAt: 2);
        self::assertSame(
            ['ada', '', 'https://a.example', null, 'x', true, true, true, 1, 2, '{}', []],
            [$auth->userId, $auth->environmentId, $auth->issuer, $auth->organizationId, $auth->actorId,
                $auth->emailVerified, $auth->profileComplete, $auth->impersonating, $auth->issuedAt, $auth->expiresAt,
                $auth->claimsJson, $auth->claims()],
        );
        self::assertTrue((new Auth('a', 'b', 'c', impersonating: true))->impersonating);
        self::assertFalse((new Auth('a', 'b', 'c'))->impersonating);
    }

    /** Spans that point out of the record, as no library writes them. */
    public function testABrokenRecord(): void
    {
        $record = (new \ReflectionProperty(Auth::class, 'record'))->getValue(new Auth('ada', 'e', 'i'));
        $spans = [[95, 1], [96, strlen($record) - 96], [0xFFFFFFFF, 0xFFFFFFFF], [96, 0xFFFFFFFF]];
        foreach ($spans as $span) {
            $auth = Auth::read(substr_replace($record, pack('L2', ...$span), 32, 8));
            self::thrown(InternalException::class, static fn () => $auth->userId);
        }
        self::thrown(InternalException::class, static fn () => Auth::read(substr($record, 0, 95)));
    }

    /** A record that needs more than the first buffer, then a small one in the same buffer. */
    public function testALargeToken(): void
    {
        $verifier = new Verifier($this->issuer);
        $large = $this->token(['sub' => self::USER, 'note' => str_repeat('x', 9000)]);
        self::assertSame(9000, strlen($verifier->verify($large)->claims()['note']));
        self::assertSame(9000, strlen($verifier->verify($large)->claims()['note']));
        self::assertSame('second', $verifier->verify($this->token(['sub' => 'second']))->userId);
        self::assertSame(3, $verifier->stats()['accepted']);
    }

    public function testRequirementsOfACall(): void
    {
        $verifier = new Verifier($this->issuer);
        $admin = new Requirements(
            [Requirement::Organization],
            ['/plan' => 'pro', '/level' => 3, '/beta' => true],
            [['org-1', 'admin'], 'org-2'],
        );
        $claims = ['sub' => self::USER, 'plan' => ['free', 'pro'], 'level' => 3, 'beta' => true,
            'o' => ['id' => 'org-1', 'rol' => 'admin']];
        $token = $this->token($claims);
        self::assertSame(self::USER, $verifier->verify($token, $admin)->userId);
        self::assertSame(self::USER, $verifier->authenticate("Bearer $token", $admin)->userId);
        $changes = [['plan' => 'free'], ['level' => 4], ['beta' => 'true'],
            ['o' => ['id' => 'org-1', 'rol' => 'member']],
            ['o' => ['id' => 'org-3', 'rol' => 'admin']]];
        foreach ($changes as $change) {
            $other = $this->token($change + $claims);
            $e = self::thrown(PolicyException::class, static fn () => $verifier->verify($other, $admin));
            self::assertSame('Bearer realm="torii", error="insufficient_scope"', $e->wwwAuthenticate);
            self::assertSame(self::USER, $verifier->verify($other)->userId);
        }
        self::assertCount(1, $this->torii->requests('/acme/'));
    }

    public function testRequirementsOfAVerifier(): void
    {
        $requirements = new Requirements([Requirement::NotImpersonated], claimsJson: ['/level' => '3.0']);
        $verifier = new Verifier($this->issuer, require: [Requirement::EmailVerified], requirements: $requirements);
        $claims = ['sub' => self::USER, 'level' => 3, 'email_verified' => true];
        self::assertSame(self::USER, $verifier->verify($this->token($claims))->userId);
        foreach ([['level' => 4], ['email_verified' => false], ['act' => ['sub' => 'support']]] as $change) {
            $token = $this->token($change + $claims);
            self::thrown(PolicyException::class, static fn () => $verifier->verify($token));
        }
    }

    public function testWrongRequirementsAreNamed(): void
    {
        $wrong = [
            'pointer' => ['claims' => ['plan' => 'pro']],
            'json' => ['claimsJson' => ['/plan' => 'null']],
            'id' => ['organizations' => ['']],
            'organizations: not a list' => ['organizations' => ['org-1' => 'admin']],
            '/plan: not JSON' => ['claims' => ['/plan' => NAN]],
        ];
        foreach ($wrong as $message => $arguments) {
            $e = self::thrown(InvalidArgumentException::class, static fn () => new Requirements(...$arguments));
            self::assertStringContainsString($message, $e->getMessage());
        }
        $types = [['flags' => [1]], ['claims' => ['/plan' => null]], ['claims' => ['/plan' => ['pro']]],
            ['organizations' => [null]], ['organizations' => [['a', 1]]]];
        foreach ($types as $arguments) {
            self::thrown(\Error::class, static fn () => new Requirements(...$arguments));
        }
    }

    public function testPublicErrors(): void
    {
        $verifier = new Verifier($this->issuer, realm: 'shop', resourceMetadata: 'https://shop.example/meta');
        $expired = $this->token(expiresIn: -60);
        $e = self::thrown(TokenException::class, static fn () => $verifier->verify($expired));
        self::assertSame(
            ['authentication_failed', null, false, 'Bearer realm="shop", error="invalid_token", '
                . 'resource_metadata="https://shop.example/meta"'],
            [$e->publicCode, $e->issuer, $e->unsent, $e->wwwAuthenticate],
        );
        self::assertNotSame($e->getMessage(), $e->publicMessage);
        Verifier::clearKeys();
        $token = $this->token();
        $this->torii->fault('/acme/', ['kind' => 'status', 'status' => 503]);
        $e = self::thrown(KeysUnavailableException::class, static fn () => $verifier->verify($token));
        self::assertSame(['keys_unavailable', null, $this->issuer], [$e->publicCode, $e->wwwAuthenticate, $e->issuer]);
        self::assertGreaterThanOrEqual(1, $e->retryAfter);
        $client = new Client($this->torii->secretKey, 'http://127.0.0.1:1', maxRetries: 0);
        $e = self::thrown(TransportException::class, static fn () => $client->users->get(self::USER));
        self::assertTrue($e->unsent);
    }

    public function testAudienceAndLifetime(): void
    {
        $shop = $this->token(['sub' => self::USER, 'aud' => 'shop']);
        $e = self::thrown(TokenException::class, fn () => (new Verifier($this->issuer))->verify($shop));
        self::assertSame('token_audience', $e->status);
        self::assertSame(self::USER, (new Verifier($this->issuer, ignoreAudience: true))->verify($shop)->userId);
        self::assertSame(self::USER, (new Verifier($this->issuer, audiences: ['shop']))->verify($shop)->userId);
        self::thrown(
            InvalidConfigException::class,
            fn () => new Verifier($this->issuer, audiences: ['shop'], ignoreAudience: true),
        );
        $short = new Verifier($this->issuer, maxLifetime: 60);
        $token = $this->token();
        $e = self::thrown(TokenException::class, static fn () => $short->verify($token));
        self::assertSame('token_lifetime', $e->status);
        $older = $this->token(['org_id' => 'org-1', 'org_role' => 'admin']);
        self::assertNull((new Verifier($this->issuer))->verify($older)->organizationId);
        $legacy = new Verifier($this->issuer, legacyOrganization: true);
        self::assertSame('org-1', $legacy->verify($older)->organizationId);
    }

    public function testProxy(): void
    {
        $code = '$s = stream_socket_server("tcp://127.0.0.1:0"); echo stream_socket_get_name($s, false), "\n";'
            . 'echo fgets(stream_socket_accept($s, 120));';
        $proxy = proc_open([PHP_BINARY, '-r', $code], [1 => ['pipe', 'w']], $pipes);
        $url = 'http://' . trim(fgets($pipes[1]));
        $verifier = new Verifier('http://torii.invalid', allowHttp: true, proxy: $url);
        self::thrown(KeysUnavailableException::class, static fn () => $verifier->refresh());
        self::assertStringContainsString('torii.invalid', stream_get_contents($pipes[1]));
        proc_close($proxy);
    }

    /** The clock runs during a call, so that both calls are in the library at once. */
    public function testACallWithinACall(): void
    {
        $second = $this->token(['sub' => 'second']);
        $inner = null;
        $depth = 0;
        $nested = new Verifier($this->issuer, clock: static function () use (&$nested, &$inner, &$depth, $second) {
            if (++$depth === 1) {
                $inner = $nested->verify($second);
            }
            return time();
        });
        self::assertSame(self::USER, $nested->verify($this->token(['sub' => self::USER]))->userId);
        self::assertSame('second', $inner->userId);
    }

    /** A handler that verifies another token, between the opcodes of a call. */
    public function testASignalDuringACall(): void
    {
        $verifier = new Verifier($this->issuer);
        [$first, $second] = [$this->token(['sub' => 'first']), $this->token(['sub' => 'second'])];
        $verifier->verify($second);
        $handled = 0;
        pcntl_async_signals(true);
        pcntl_signal(SIGALRM, static function () use ($verifier, $second, &$handled): void {
            self::assertSame('second', $verifier->verify($second)->userId);
            $handled++;
        });
        $timer = proc_open(['sh', '-c', 'while kill -ALRM ' . getmypid() . '; do :; done'], [], $pipes);
        $others = 0;
        while ($handled < 500) {
            $others += $verifier->verify($first)->userId === 'first' ? 0 : 1;
        }
        proc_terminate($timer, SIGKILL);
        proc_close($timer);
        pcntl_signal(SIGALRM, SIG_IGN);
        pcntl_async_signals(false);
        self::assertSame(0, $others);
    }

    public function testFurtherIssuers(): void
    {
        $other = $this->torii->control('POST', '/issuers', ['name' => 'other'])['issuer'];
        $token = $this->torii->control('POST', '/issuers/other/tokens')['token'];
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
            $this->torii->control('POST', '/issuers/acme/keys');
            $new = $this->token(['sub' => self::USER]);
            $valid = $verifier->verify($token)->userId === self::USER && $verifier->verify($new)->userId === self::USER
                && $client->allowedOrigins->get() === [];
            // Neither PHPUnit's end nor any destructor is for the child.
            posix_kill(getmypid(), $valid ? SIGUSR1 : SIGUSR2);
        }
        pcntl_waitpid($pid, $status);
        self::assertSame(SIGUSR1, pcntl_wtermsig($status));
        self::assertSame(self::USER, $verifier->verify($token)->userId);
        self::assertSame([], $client->allowedOrigins->get());
    }
}
