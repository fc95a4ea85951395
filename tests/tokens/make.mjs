// Makes crates/catalog/tests/tokens.jsonl: a thousand texts with the number of their tokens, as the npm
// package gpt-tokenizer 4.0.0 counts them with tables of its own.
//
//   npm install --no-save gpt-tokenizer@4.0.0 && node tests/tokens/make.mjs > crates/catalog/tests/tokens.jsonl
import { encode as o200k } from 'gpt-tokenizer/encoding/o200k_base';
import { encode as cl100k } from 'gpt-tokenizer/encoding/cl100k_base';

// Names of control tokens are plain text, as in a message.
const plain = { allowedSpecial: new Set(), disallowedSpecial: new Set() };

const seeds = [
  'The customer wrote that order A-48213 has not arrived.', "We won't, they'll, I'M, you'RE, it's.",
  'Die Straße ist überflutet; Grüße aus Köln.', 'Le café déjà vu, où l’on s’assied.',
  'El niño comió piñas en el jardín.', 'Привет, как дела? Съешь ещё этих булок.',
  'Καλημέρα κόσμε, τι κάνεις;', 'שלום עולם, מה שלומך?', 'مرحبا بالعالم، كيف حالك؟',
  'नमस्ते दुनिया, आप कैसे हैं?', 'สวัสดีชาวโลก สบายดีไหม', 'こんにちは世界、元気ですか。', '你好，世界。今天天气很好。',
  '안녕하세요 세계, 잘 지내세요?', 'Xin chào thế giới, bạn khỏe không?', 'Zażółć gęślą jaźń.', 'İstanbul’da ışık ığdır.',
  'fn main() { println!("{}", 1_000 + 0xff); }', 'def f(x):\n\treturn [y**2 for y in x if y != 3]\n',
  'SELECT * FROM t WHERE a >= 10 AND b IS NULL; -- end', '{"id": 12, "tags": ["a", "b"], "x": 1.5e-7}',
  '<div class="a">\n  <p>text</p>\n</div>', 'https://a.example/p?q=1&r=%20#top', '👩‍👩‍👧‍👦 🇩🇪 🤷🏽‍♀️ 👍', '🙂🙃',
  '   ', '\n', '\r\n\r\n', '\t\t x', 'a \n b', '\u00a0\u2003\u3000', ' \n\n \n', '<|endoftext|>', '<|im_start|>user<|im_end|>',
  '<|endofprompt|> <|fim_prefix|>', '1234567890', '3.14159, 2,718', 'e\u0301 é', 'ﬁ ½ Ⅻ ①', '!!!???...///', '~`@#$%^&*()_+-=', 'ZZZZZZZZZZZZ', 'ÀÉÎÕÜ', '',
];
const joints = ['', ' ', '\n', '  ', '\n\n', '/', "'s ", ' \n', '-', '\t'];
const texts = [...seeds];
let state = 42;
const next = (below) => (state = (state * 1103515245 + 12345) % 2147483648) % below;
while (texts.length < 1000) {
  const parts = [];
  for (let left = 2 + next(4); left > 0; left -= 1) {
    const characters = [...seeds[next(seeds.length)]];
    const from = next(characters.length + 1);
    parts.push(characters.slice(next(2) ? 0 : from).join(''), joints[next(joints.length)]);
  }
  texts.push(parts.join(''));
}
for (const text of texts) {
  console.log(JSON.stringify({ text, o200k: o200k(text, plain).length, cl100k: cl100k(text, plain).length }));
}
