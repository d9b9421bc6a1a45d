<?php

/**
 * The time of one verification, next to firebase/php-jwt:
 * TORII_LIBRARY=…/libtorii.so.0 php bench.php [FOLDER OF php-jwt]
 */

declare(strict_types=1);

use Firebase\JWT\JWK;
use Firebase\JWT\JWT;
use Torii\Verifier;

require __DIR__ . '/tests/bootstrap.php';

const OTHER = 'firebase/php-jwt';
$corpus = json_decode(file_get_contents(__DIR__ . '/../../tests/behaviour/verify.json'), true);
$case = array_column($corpus['cases'], null, 'name')['good-minimal'];
$token = $case['token'];
$issuer = $case['options']['issuer'];
$keys = $corpus['key_sets'][$case['key_set']]['jwks'];

/** The CPU time of this process in microseconds. */
function cpu(): float
{
    $usage = getrusage();
    return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1e6
        + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
}

/** The best of several rounds, in microseconds for one. */
function measure(int $times, callable $verify): float
{
    $best = INF;
    for ($round = 0; $round < 5; $round++) {
        $start = cpu();
        for ($i = 0; $i < $times; $i++) {
            $verify();
        }
        $best = min($best, (cpu() - $start) / $times);
    }
    return $best;
}

$warm = new Verifier($issuer, $keys);
$cold = new Verifier($issuer, $keys, tokenCacheBytes: 0);
$rows = [
    'torii, a known token' => measure(50_000, static fn () => $warm->verify($token)->userId),
    'torii, every token new' => measure(500, static fn () => $cold->verify($token)->userId),
];
if (isset($argv[1])) {
    array_map(static fn ($file) => require_once $file, glob("$argv[1]/src/JWTExceptionWithPayloadInterface.php"));
    array_map(static fn ($file) => require_once $file, glob("$argv[1]/src/*.php"));
    $set = JWK::parseKeySet(json_decode($keys, true));
    $rows[OTHER] = measure(200, static fn () => JWT::decode($token, $set)->sub);
}
foreach ($rows as $name => $time) {
    $ratio = isset($rows[OTHER]) ? sprintf('  %7.1f× as fast as ' . OTHER, $rows[OTHER] / $time) : '';
    printf("%-26s %9.2f µs%s\n", $name, $time, $ratio);
}
