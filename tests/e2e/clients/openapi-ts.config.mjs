// As in a project that uses ECMAScript modules.
export default {
        input: 'openapi.json',
        output: { path: 'generated/hey', tsConfigPath: new URL('tsconfig.json', import.meta.url).pathname },
        plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
};
