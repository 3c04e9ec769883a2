// What a client generated from /openapi.json must be able to do, with any generator. The test compares the results.

// What the scenario needs from a generated client; each adapter maps it to its own functions, with its own types.
export interface Network {
        register(username: string): Promise<Member>;
}

export interface Member {
        readonly id: string;
        post(text: string, key: string): Promise<Post>;
        page(limit: number, cursor?: string): Promise<Page>; // of the member's own timeline
        like(id: string): Promise<Post>;
        unlike(id: string): Promise<Post | undefined>; // nothing if the note is no longer visible
        follow(userId: string): Promise<boolean>;
        relationships(userIds: string[]): Promise<boolean[]>; // members you follow
        remove(id: string): Promise<void>;
        refusal(id: string): Promise<Refusal>; // of reading a missing note
        invalid(): Promise<Refusal>; // of a post without text
}

export interface Post {
        id: string;
        text: string;
        author: { username: string };
        visibility: 'public' | 'followers' | 'only_me';
        created_at: string;
        edited_at: string | null;
        counts: { likes: number };
        viewer: { liked: boolean };
}

export interface Page {
        items: Post[];
        next_cursor?: string;
}

export interface Refusal {
        status: number;
        code: string;
        field?: string;
}

// Runs it; the result contains no IDs and no times, so that it is the same for every client.
export async function run(network: Network, suffix: string): Promise<unknown> {
        const ada = await network.register(`ada_${suffix}`);
        const bob = await network.register(`bob_${suffix}`);
        const posted: Post[] = [];
        for (let i = 0; i < 5; i++) {
                posted.unshift(await ada.post(`note ${i}`, `key-${i}`));
        }
        const again = await ada.post('note 0', 'key-0');
        const first = posted[0];
        if (!first) {
                throw new Error('nothing was posted');
        }

        const sizes: number[] = [];
        const texts: string[] = [];
        let cursor: string | undefined;
        do {
                const page: Page = await ada.page(2, cursor);
                sizes.push(page.items.length);
                texts.push(...page.items.map((item) => item.text));
                cursor = page.next_cursor;
        } while (cursor !== undefined);

        const liked = await bob.like(first.id);
        const unliked = await bob.unlike(first.id);
        await bob.like(first.id);
        const followed = await bob.follow(ada.id);
        const relations = await bob.relationships([ada.id, bob.id]);
        await ada.remove(first.id);
        return {
                repeated: again.id === posted.at(-1)?.id,
                author: first.author.username === `ada_${suffix}`,
                visibility: first.visibility,
                time: !Number.isNaN(Date.parse(first.created_at)),
                edited: first.edited_at,
                sizes,
                texts,
                liked: [liked.counts.likes, liked.viewer.liked],
                unliked: [unliked?.counts.likes, unliked?.viewer.liked],
                unlikedUnseen: await bob.unlike(first.id),
                followed,
                relations,
                refusal: await bob.refusal(first.id),
                invalid: await ada.invalid(),
        };
}
