#!/usr/bin/env node
// Tests a server with the npm package openid-client: sign-in, refresh, reuse of a refresh token, revocation.
//
//   openid-client.mjs ISSUER        settings: see journey.mjs
//
// Prints {ok, issuer, client_id, steps, message?} and exits with 0 only if every step passed, within 60 s.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { clientId, clientSecret, extra, run, scope, step, user } from './journey.mjs';

const authentication = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None();
const invalidGrant = (error) => error.error === 'invalid_grant';

const discover = (issuer) => client.discovery(issuer, clientId, undefined, authentication, {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
});

/** Signs in once through the browser, from a new request to validated tokens. */
async function authorize(config, visitor) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedNonce = client.randomNonce();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: visitor.redirectUri,
    scope,
    nonce: expectedNonce,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...extra,
  });
  const callback = await visitor.authorize(url);
  const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, callback, checks);
  return { callback, checks, tokens };
}

const isActive = async (config, token) => (await client.tokenIntrospection(config, token)).active;
const refusesToRefresh = (config, token) => assert.rejects(client.refreshTokenGrant(config, token), invalidGrant);

async function rotation(config, first) {
  const second = await step('refresh', async () => {
    const tokens = await client.refreshTokenGrant(config, first.refresh_token);
    assert.ok(tokens.refresh_token, 'the refresh response has no refresh token');
    assert.notEqual(tokens.refresh_token, first.refresh_token, 'the refresh token did not rotate');
    assert.notEqual(tokens.access_token, first.access_token, 'the access token stayed the same');
    return tokens;
  });
  await step('refreshed token works', () => client.fetchUserInfo(config, second.access_token, first.claims().sub));
  await step('used refresh token is refused', () => refusesToRefresh(config, first.refresh_token));
  await step('its reuse ends the family', () => refusesToRefresh(config, second.refresh_token));
  await step('introspection knows the family is dead', async () => {
    assert.equal(await isActive(config, second.refresh_token), false);
  });
}

async function revocation(config, { refresh_token: refreshToken }) {
  await step('revoke', () => client.tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' }));
  await step('revoked refresh token is refused', () => refusesToRefresh(config, refreshToken));
  await step('introspection knows the revocation', async () => {
    assert.equal(await isActive(config, refreshToken), false);
  });
  await step('revoking an unknown token succeeds', () => client.tokenRevocation(config, 'unknown'));
}

await run(async (issuer, visitor) => {
  const config = await step('discovery', () => discover(issuer));
  const { callback, checks, tokens } = await step('authorization code', () => authorize(config, visitor));
  await step('refresh token', () => assert.ok(tokens.refresh_token, 'no refresh token despite offline_access'));
  await step('userinfo', async () => {
    const { email } = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(email, user);
  });
  await step('introspection', async () => {
    assert.equal(await isActive(config, tokens.access_token), true);
    assert.equal(await isActive(config, tokens.refresh_token), true);
  });
  await rotation(config, tokens);
  const again = await step('second sign-in', () => authorize(config, visitor));
  await revocation(config, again.tokens);
  await step('used code is refused', () => assert.rejects(client.authorizationCodeGrant(config, callback, checks), invalidGrant));
});
