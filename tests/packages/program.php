<?php

// Renames the user of TOKEN to FIRST_NAME, verifies EXPIRED, and prints the path of the loaded library.

declare(strict_types=1);

require getenv('AUTOLOAD');

class_exists(Torii\Middleware::class) || exit('no middleware');

$verifier = new Torii\Verifier(getenv('TORII_ISSUER'));
$client = new Torii\Client(getenv('TORII_SECRET_KEY'), getenv('TORII_API_URL'));

$auth = $verifier->verify(getenv('TOKEN'));
$user = $client->users->update($auth->userId, firstName: getenv('FIRST_NAME'));
echo "$user->id is $user->firstName\n";
try {
    $verifier->verify(getenv('EXPIRED'));
} catch (Torii\Exception\TokenException $e) {
    echo "$e->status\n";
}
preg_match_all('~/.*libtorii.*~', file_get_contents('/proc/self/maps'), $libraries);
echo implode("\n", array_unique($libraries[0])), "\n";
