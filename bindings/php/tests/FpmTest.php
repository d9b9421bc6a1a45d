<?php

declare(strict_types=1);

namespace Torii\Tests;

/** The middleware under php-fpm, with the library preloaded as the README shows. */
final class FpmTest extends EmulatorTestCase
{
    private static ?FpmServer $server = null;

    public static function setUpBeforeClass(): void
    {
        self::torii()->reset();
        self::$server = new FpmServer([
            'ffi.enable' => 'preload',
            'ffi.preload' => realpath(__DIR__ . '/../include/torii-ffi.h'),
            'opcache.enable' => '1',
            'opcache.preload' => realpath(__DIR__ . '/../preload.php'),
            'opcache.preload_user' => posix_getpwuid(posix_geteuid())['name'],
        ], [
            'TORII_ISSUER' => self::torii()->issuer,
            'WEBHOOK_SECRETS' => Sender::OTHER . ' ' . Sender::SECRET,
        ]);
    }

    public static function tearDownAfterClass(): void
    {
        self::$server?->stop();
    }

    /** No reset, since the workers keep the keys they have. */
    protected function setUp(): void
    {
        $this->torii = self::torii();
        $this->issuer = $this->torii->issuer;
        $this->torii->control('DELETE', '/faults');
    }

    public function testLetsValidTokensThrough(): void
    {
        $token = $this->token(['sub' => self::USER]);
        [$status, , $body] = self::$server->get('/', "Authorization: Bearer $token");
        self::assertSame([200, self::USER], [$status, $body['user'] ?? $body]);
    }

    public function testRefusesInvalidTokens(): void
    {
        $answer = self::$server->get('/');
        self::assertRefused(401, 'authentication_failed', $answer);
        self::assertSame('Bearer realm="torii"', $answer[1]['www-authenticate']);
        $expired = $this->token(expiresIn: -60);
        $answer = self::$server->get('/', "Authorization: Bearer $expired");
        self::assertRefused(401, 'authentication_failed', $answer);
        self::assertSame('Bearer realm="torii", error="invalid_token"', $answer[1]['www-authenticate']);
        self::assertStringNotContainsString($expired, json_encode($answer));
        self::assertRefused(401, 'authentication_failed', self::$server->get('/', 'Authorization: Basic YTpi'));
    }

    public function testRefusesByPolicy(): void
    {
        $token = $this->token(['email_verified' => false]);
        $answer = self::$server->get('/verified=1', "Authorization: Bearer $token");
        self::assertRefused(403, 'forbidden', $answer);
    }

    public function testSaysNothingWithoutKeys(): void
    {
        $token = $this->token();
        $this->torii->fault('/acme/', ['kind' => 'status', 'status' => 500]);
        $server = new FpmServer(['ffi.enable' => 'true', 'opcache.enable' => '0'], [
            'TORII_ISSUER' => $this->issuer,
            'TORII_LIBRARY' => getenv('TORII_LIBRARY'),
        ]);
        $answer = $server->get('/', "Authorization: Bearer $token");
        $server->stop();
        self::assertRefused(503, 'keys_unavailable', $answer);
        self::assertGreaterThanOrEqual(1, (int) $answer[1]['retry-after']);
        self::assertDoesNotMatchRegularExpression('/127\.0\.0\.1|500/', json_encode($answer[2]));
    }

    public function testOtherHeader(): void
    {
        $token = $this->token();
        self::assertSame(200, self::$server->get('/header=X-User-Token', "X-User-Token: Bearer $token")[0]);
        self::assertSame(401, self::$server->get('/header=X-User-Token', "Authorization: Bearer $token")[0]);
    }

    public function testCookieComesSecond(): void
    {
        $cookie = 'Cookie: a=b; app_token=' . $this->token(['sub' => self::USER]);
        self::assertSame(self::USER, self::$server->get('/cookie=app_token', $cookie)[2]['user']);
        $answer = self::$server->get('/cookie=app_token', $cookie, 'Authorization: Bearer invalid');
        self::assertRefused(401, 'authentication_failed', $answer);
        self::assertSame(401, self::$server->get('/cookie=app_token', 'Cookie: app_token[]=1')[0]);
    }

    public function testOptional(): void
    {
        self::assertSame('nobody', self::$server->get('/optional=1')[2]['user']);
        self::assertSame(401, self::$server->get('/optional=1', 'Authorization: Bearer invalid')[0]);
    }

    public function testTakesWebhooks(): void
    {
        $body = "\0\xFF{}\n";
        $headers = [];
        foreach (Sender::sign($body) as $name => $value) {
            $headers[] = "$name: $value";
        }
        self::assertSame(204, self::$server->post('/webhooks', $body, ...$headers)[0]);
        $svix = str_replace('webhook-', 'Svix-', $headers);
        self::assertSame(204, self::$server->post('/webhooks', $body, ...$svix)[0]);
        self::assertSame(400, self::$server->post('/webhooks', "$body ", ...$headers)[0]);
        self::assertSame(400, self::$server->post('/webhooks', $body)[0]);
    }

    public function testWorkersKeepTheirKeysFromRequestToRequest(): void
    {
        $token = $this->token(['sub' => self::USER]);
        $pids = [];
        for ($round = 0; $round < 5; $round++) {
            $sent = array_map(
                static fn () => self::$server->send('/busy=50', "Authorization: Bearer $token"),
                range(1, 6),
            );
            foreach ($sent as $connection) {
                [$status, , $body] = self::$server->receive($connection);
                self::assertSame([200, self::USER], [$status, $body['user'] ?? $body]);
                $pids[] = $body['pid'];
            }
        }
        self::assertCount(3, array_unique($pids));
        // One fetch each, in the test that came first.
        self::assertLessThanOrEqual(3 + 1, count($this->torii->requests('/acme/')));
    }

    public function testEightColdWorkersServeFromTheKeyCacheWhileTheIssuerIsDown(): void
    {
        $folder = sys_get_temp_dir() . '/' . uniqid('torii-keys-');
        mkdir($folder, 0o700);
        $token = $this->token(['sub' => self::USER]);
        $verifier = $this->torii->verifier(keyCacheDir: $folder);
        self::assertSame(self::USER, $verifier->verify($token)->userId);
        $this->torii->fault('/acme/', ['kind' => 'status', 'status' => 503]);
        $fetches = count($this->torii->requests('/acme/'));
        $server = new FpmServer(['ffi.enable' => 'true', 'opcache.enable' => '0'], [
            'TORII_ISSUER' => $this->issuer,
            'TORII_LIBRARY' => getenv('TORII_LIBRARY'),
            'TORII_KEY_CACHE' => $folder,
        ], workers: 8);
        try {
            $pids = [];
            // Until each of them has answered.
            for ($round = 0; count($pids) < 8 && $round < 1000; $round++) {
                $sent = array_map(
                    static fn () => $server->send('/busy=50', "Authorization: Bearer $token"),
                    range(1, 16),
                );
                foreach ($sent as $connection) {
                    [$status, , $body] = $server->receive($connection);
                    self::assertSame([200, self::USER], [$status, $body['user'] ?? $body]);
                    $pids[$body['pid']] = true;
                }
            }
            self::assertCount(8, $pids);
            self::assertCount($fetches, $this->torii->requests('/acme/'), 'a fetch');
        } finally {
            $server->stop();
            array_map('unlink', glob("$folder/{,.}[!.]*", GLOB_BRACE));
            rmdir($folder);
        }
    }

    /** @param array{int, array<string, string>, array<string, mixed>} $answer */
    private static function assertRefused(int $status, string $code, array $answer): void
    {
        self::assertSame($status, $answer[0], json_encode($answer));
        self::assertSame('application/json', $answer[1]['content-type']);
        self::assertSame($code, $answer[2]['error']['code']);
        self::assertNotSame('', $answer[2]['error']['message']);
    }
}
