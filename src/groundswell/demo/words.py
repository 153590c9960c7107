"""Names and lists of the made vendor Kestrel Data: firms, people, customers, products, places. All of it is invented."""

COUNTRIES = [
    ("DE", "EMEA", "GmbH", "+01:00"),
    ("NO", "EMEA", "AS", "+01:00"),
    ("GB", "EMEA", "Ltd", "+00:00"),
    ("US", "AMER", "Inc.", "-05:00"),
    ("SG", "APAC", "Pte. Ltd.", "+08:00"),
]
"""Country, region, legal form, offset of its clocks: one for the whole year, as a careless system writes it."""

STEMS = [
    "Rönnebäck & Söhne", "Kühnvogt", "Fjord & Fell", "Ångermark", "Thistlebeck", "Järvikallio", "Oakmere", "Grønnvik",
    "Brightwater", "Süderholm", "Larkspur & Finch", "Weißbachtal", "Saltmarsh", "Pinecrest", "Ashdown", "Birkenrath",
    "Coppergate", "Dünenfels", "Elmstead", "Falkenau", "Gullvåg", "Hazelmoor", "Inselberg", "Juniper Row", "Kestelbach",
    "Lindqvik", "Merrowdale", "Nordhavn", "Orrefjell", "Quarrybank", "Ravnsborg", "Silberhorn", "Tarnholt", "Ulvesund",
    "Vosskamp", "Wintergreen", "Ystadal", "Zedernhof", "Amberfield", "Blåvand", "Corvendale", "Drachenstein", "Eibenfeld",
    "Foxhollow",
]  # fmt: skip
TRADES = ["Beratung", "Systems", "Consulting", "Digital", "Cloud", "Data", "Solutions", "Networks"]
FIRST = [
    "Anna", "Björn", "Chloé", "Dario", "Elif", "Frøya", "Grace", "Iñigo", "Jörg", "Liam", "Mei", "Päivi", "Ravi", "Sofie",
]  # fmt: skip
LAST = [
    "Abel", "Brückner", "Castellan", "Dahlström", "Fürst", "Gråberg", "Jokela", "Lind", "Moreau", "Nwosu", "Tan", "Weiß",
]  # fmt: skip
MANAGERS = [
    "ines.roth@kestrel.example", "Tom.Adeyemi@kestrel.example", "lena.vik@kestrel.example", "omar.haddad@kestrel.example",
    "pia.kern@kestrel.example", "ruth.ames@kestrel.example",
]  # fmt: skip
SELLERS = ["Ada Sorensen", "Ben Okafor", "Carla Núñez", "Dirk Weller", "Eve Larsson", "Finn Marsh"]
PARTNER_TYPES = ["si", "isv", "msp", "reseller", "var", "distributor", "referral"]
TIERS = ["registered", "silver", "gold"]

BUYERS = [
    "Acorn", "Bärenfels", "Clearbrook", "Dunmore & Daughters", "Eastgate", "Fenwright", "Glasshaus", "Harbour", "Ivybridge",
    "Kelpworks", "Möbler Lindö", "Moorland", "Northgate", "Orchard", "Pollard", "Quayside", "Rosenthal", "Stonebridge",
    "Tidewater", "Underwood",
]  # fmt: skip
TOWNS = ["", " North", " Rhein", " Bay", " Valley", " Fjord", " Hill", " Coast"]
INDUSTRIES = ["Insurance", "Freight", "Foods", "Energy", "Tools", "Optics"]
"""Of customers; the industry is part of a customer's name."""
PRODUCTS = ["Kestrel Flow", "Kestrel Vault", "Kestrel Lens", "Kestrel Mesh"]
CODES = [("KD-SALES", "associate"), ("KD-IMPL", "professional"), ("KD-ARCH", "expert"), ("KD-FOUND", "associate")]
"""What the vendor certifies, with its level. KD-FOUND does not run out; the others hold two years."""
