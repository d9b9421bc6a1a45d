<?php

declare(strict_types=1);

namespace Torii\Tests;

/** Signs webhooks as their sender does, without libtorii. */
final class Sender
{
    public const SECRET = 'whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY';
    public const OTHER = 'whsec_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4Q=';

    /** @return array<string, string> the headers of a webhook, signed as Standard Webhooks 1.0.0 describes */
    public static function sign(string $body, string $id = 'msg_1', ?int $sent = null): array
    {
        $sent ??= time();
        $key = base64_decode(substr(self::SECRET, strlen('whsec_')));
        return [
            'webhook-id' => $id,
            'webhook-timestamp' => (string) $sent,
            'webhook-signature' => 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sent.$body", $key, true)),
        ];
    }
}
